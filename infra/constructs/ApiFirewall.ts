import type { RestApi } from 'aws-cdk-lib/aws-apigateway'
import { CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2'
import { Construct } from 'constructs'

export interface ApiFirewallProps {
  readonly api: RestApi
  /** From one address. */
  readonly requestsPerFiveMinutes: number
}

/** AWS's own lists of rules, and which of their rules only count here. */
const managed = [
  { name: 'AWSManagedRulesAmazonIpReputationList', count: [] },
  { name: 'AWSManagedRulesKnownBadInputsRuleSet', count: [] },
  // A POST may hold thousands of regions, a path is a data token, a query names tags: these are longer than the 8 KiB,
  // 1 KiB and 2 KiB that the rules let pass.
  {
    name: 'AWSManagedRulesCommonRuleSet',
    count: ['SizeRestrictions_BODY', 'SizeRestrictions_URIPATH', 'SizeRestrictions_QUERYSTRING'],
  },
] as const

/** A web firewall before the API. It keeps no samples of requests: their paths hold data tokens. */
export class ApiFirewall extends Construct {
  constructor(scope: Construct, id: string, { api, requestsPerFiveMinutes }: ApiFirewallProps) {
    super(scope, id)
    const seen = (name: string) => ({
      cloudWatchMetricsEnabled: true,
      metricName: name,
      sampledRequestsEnabled: false,
    })
    const acl = new CfnWebACL(this, 'Acl', {
      scope: 'REGIONAL',
      description: 'htsvault: before the htsget API',
      defaultAction: { allow: {} },
      visibilityConfig: seen('htsvault'),
      rules: [
        {
          name: 'rate',
          priority: 0,
          action: { block: {} },
          statement: {
            rateBasedStatement: {
              aggregateKeyType: 'IP',
              evaluationWindowSec: 300,
              limit: requestsPerFiveMinutes,
            },
          },
          visibilityConfig: seen('rate'),
        },
        ...managed.map(({ name, count }, i) => ({
          name,
          priority: i + 1,
          overrideAction: { none: {} },
          statement: {
            managedRuleGroupStatement: {
              vendorName: 'AWS',
              name,
              ruleActionOverrides: count.map(rule => ({ name: rule, actionToUse: { count: {} } })),
            },
          },
          visibilityConfig: seen(name),
        })),
      ],
    })
    new CfnWebACLAssociation(this, 'Association', {
      webAclArn: acl.attrArn,
      resourceArn: api.deploymentStage.stageArn,
    })
  }
}
