import { AuthorizationType, type CfnMethod, type RestApi } from 'aws-cdk-lib/aws-apigateway'

/**
 * The methods of an API that anyone can call and that are not meant to be: all but preflights, service-info, and the
 * data route, whose URLs carry a token. One line each that says what to do.
 */
export function openMethods(api: RestApi): string[] {
  return api.methods
    .filter(method => {
      const { authorizationType } = method.node.defaultChild as CfnMethod
      const guarded =
        authorizationType !== undefined && authorizationType !== (AuthorizationType.NONE as string)
      const { httpMethod: verb, resource } = method
      return !guarded && verb !== 'OPTIONS' && !open.has(`${verb} ${resource.path}`)
    })
    .map(
      method =>
        `${method.httpMethod} ${method.resource.path} can be called by anyone: give it an authorizer, or say "public": true in the settings`,
    )
}

const open = new Set(['GET /reads/service-info', 'GET /variants/service-info', 'GET /data/{proxy+}'])
