import { ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway'

/** What API Gateway answers by itself, before a function is asked, in htsget's words (htsget 1.3.0, "Errors"). */
const answers: readonly (readonly [
  type: ResponseType,
  status: string | undefined,
  error: string,
  message: string,
])[] = [
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
  [ResponseType.RESOURCE_NOT_FOUND, '404', 'NotFound', 'there is no such path'],
  [
    ResponseType.AUTHORIZER_FAILURE,
    '503',
    'ServiceUnavailable',
    'who checks the tokens does not answer; try again',
  ],
  [ResponseType.REQUEST_TOO_LARGE, '413', 'PayloadTooLarge', 'the request is too large'],
  [ResponseType.THROTTLED, '429', 'TooManyRequests', 'too many requests: try again in a moment'],
  [ResponseType.INTEGRATION_TIMEOUT, '504', 'Timeout', 'the vault took too long: try again'],
  // Whatever else there is, with the status that it has.
  [ResponseType.DEFAULT_4XX, undefined, 'InvalidInput', 'the request cannot be taken as it is'],
  [ResponseType.DEFAULT_5XX, undefined, 'InternalError', 'an error of the server itself: try again'],
]

/** Makes API Gateway's own errors ones that htsget clients and web pages can read. */
export function addHtsgetErrors(api: RestApi): void {
  for (const [type, statusCode, error, message] of answers)
    api.addGatewayResponse(type.responseType, {
      type,
      ...(statusCode !== undefined && { statusCode }),
      responseHeaders: {
        // Not the origin that asks: a mapping knows a header by one spelling alone, and there are two (HTTP/1.1, HTTP/2).
        'Access-Control-Allow-Origin': "'*'",
        'Cache-Control': "'no-store'",
        ...(type === ResponseType.UNAUTHORIZED && { 'WWW-Authenticate': "'Bearer'" }),
      },
      templates: { 'application/json': JSON.stringify({ htsget: { error, message } }) },
    })
}
