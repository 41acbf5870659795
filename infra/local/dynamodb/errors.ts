/** DynamoDB's errors in its wire format, and dynalite's translated into them. */
import { AwsJsonError, type JsonObject } from "../awsJson.ts";

/** `name` without its namespace, such as `ConditionalCheckFailedException`. */
export function dynamoError(name: string, message: string, details: JsonObject = {}): AwsJsonError {
  return new AwsJsonError(`com.amazonaws.dynamodb.v20120810#${name}`, message, { details });
}

export function validationError(message: string): AwsJsonError {
  return new AwsJsonError("com.amazon.coral.validate#ValidationException", message);
}

/** Refuses by name what real DynamoDB can do and this server cannot. */
export function unknownOperation(what: string): AwsJsonError {
  const message = `The local DynamoDB server does not implement ${what}.`;
  return new AwsJsonError("com.amazon.coral.service#UnknownOperationException", message);
}

/** dynalite's errors carry `statusCode` and `body`; anything else is returned as it is. */
export function fromDynalite(error: unknown): unknown {
  const { statusCode: status, body } = (error ?? {}) as { statusCode?: number; body?: JsonObject };
  if (!status || !body) return error;
  const { __type, message, Message, ...details } = body;
  return new AwsJsonError(String(__type), String(message ?? Message ?? ""), { status, details });
}

export function isConditionalCheckFailure(error: unknown): error is AwsJsonError {
  return error instanceof AwsJsonError && String(error.body.__type).endsWith("#ConditionalCheckFailedException");
}
