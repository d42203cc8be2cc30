import { ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway'

/** What API Gateway answers by itself, before a function is asked, in htsget's words (htsget 1.3.0, "Errors"). */
const answers: readonly (readonly [ResponseType, status: string, error: string, message: string])[] = [
  [
    ResponseType.MISSING_AUTHENTICATION_TOKEN,
    '401',
    'InvalidAuthentication',
    'the request is not signed, or there is no such path',
  ],
  [
    ResponseType.INVALID_SIGNATURE,
    '401',
    'InvalidAuthentication',
    'the signature does not match the request',
  ],
  [ResponseType.EXPIRED_TOKEN, '401', 'InvalidAuthentication', 'the credentials have expired'],
  [ResponseType.UNAUTHORIZED, '401', 'InvalidAuthentication', 'the credentials are not valid'],
  [ResponseType.ACCESS_DENIED, '403', 'PermissionDenied', 'these credentials may not read here'],
  [ResponseType.REQUEST_TOO_LARGE, '413', 'PayloadTooLarge', 'the request is too large'],
  [ResponseType.THROTTLED, '429', 'TooManyRequests', 'too many requests: try again in a moment'],
  [ResponseType.INTEGRATION_TIMEOUT, '504', 'Timeout', 'the vault took too long: try again'],
]

/** Makes API Gateway's own errors ones that htsget clients and web pages can read. */
export function addHtsgetErrors(api: RestApi): void {
  for (const [type, statusCode, error, message] of answers)
    api.addGatewayResponse(type.responseType, {
      type,
      statusCode,
      responseHeaders: { 'Access-Control-Allow-Origin': "'*'" },
      templates: { 'application/json': JSON.stringify({ htsget: { error, message } }) },
    })
}
