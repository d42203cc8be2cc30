import { AuthorizationType, type CfnMethod, type RestApi } from 'aws-cdk-lib/aws-apigateway'

/**
 * The methods of an API that anyone can call and that are not meant to be: all but preflights, and the data route,
 * whose URLs carry a token. One line each that says what to do.
 */
export function openMethods(api: RestApi): string[] {
  return api.methods
    .filter(method => {
      const { authorizationType } = method.node.defaultChild as CfnMethod
      const guarded =
        authorizationType !== undefined && authorizationType !== (AuthorizationType.NONE as string)
      return !guarded && method.httpMethod !== 'OPTIONS' && !method.resource.path.startsWith('/data/')
    })
    .map(
      method =>
        `${method.httpMethod} ${method.resource.path} can be called by anyone: give it an authorizer, or say "public": true in the settings`,
    )
}
