import type { APIGatewayProxyEvent } from 'aws-lambda'

/** A header of an event, whatever the case of its name (`name` in lower case). */
export const eventHeader = (event: APIGatewayProxyEvent, name: string): string | undefined =>
  Object.entries(event.headers).find(([key]) => key.toLowerCase() === name)?.[1]
