import { CfnOutput } from 'aws-cdk-lib'
import { EndpointType, type RestApi, SecurityPolicy } from 'aws-cdk-lib/aws-apigateway'
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager'
import { ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53'
import { ApiGatewayDomain } from 'aws-cdk-lib/aws-route53-targets'
import type { Settings } from '../config.ts'

/** Gives an API the name that the settings say, and the record for it where Route 53 has the zone. */
export function addDomain(
  api: RestApi,
  { name, certificateArn, hostedZone }: NonNullable<Settings['domain']>,
) {
  const domain = api.addDomainName('Domain', {
    domainName: name,
    certificate: Certificate.fromCertificateArn(api, 'Certificate', certificateArn),
    endpointType: EndpointType.REGIONAL,
    securityPolicy: SecurityPolicy.TLS_1_2,
  })
  if (hostedZone)
    new ARecord(api, 'Record', {
      recordName: name,
      zone: HostedZone.fromHostedZoneAttributes(api, 'Zone', {
        hostedZoneId: hostedZone.id,
        zoneName: hostedZone.name,
      }),
      target: RecordTarget.fromAlias(new ApiGatewayDomain(domain)),
    })
  else
    new CfnOutput(api, 'DomainTarget', {
      value: domain.domainNameAliasDomainName,
      description: `Make ${name} a CNAME of this`,
    })
}
