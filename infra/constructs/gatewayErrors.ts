/** What the gateway itself says when it refuses: in the API's own words, so that the SDK makes the right error of it. */
import { type RestApi, ResponseType as types } from "aws-cdk-lib/aws-apigateway";

interface Refusal {
  status: number;
  type: string;
  code: string;
  message: string;
  /** Seconds after which the SDK tries again. */
  retryAfter?: number;
}

const invalid = "invalid_request_error";
const unknown: Refusal = { status: 404, type: invalid, code: "unknown_url", message: "There is nothing at this URL." };
const internal = { status: 500, type: "server_error", code: "internal_error" };
const failed: Refusal = {
  ...internal,
  message: "Something went wrong on our side. The request id helps us to find it.",
};
const tooMany = { status: 429, type: "rate_limit_error", code: "rate_limit_exceeded", retryAfter: 1 };
const forbidden = { status: 403, type: "permission_error", code: "permission_denied" };

/** The gateway's names; `DEFAULT_…` stand for all that are not here. */
export const refusals: Readonly<Record<string, Refusal>> = {
  DEFAULT_4XX: {
    status: 400,
    type: invalid,
    code: "invalid_value",
    message: "The gateway could not read the request.",
  },
  DEFAULT_5XX: failed,
  BAD_REQUEST_BODY: { status: 400, type: invalid, code: "invalid_value", message: "The body could not be read." },
  BAD_REQUEST_PARAMETERS: {
    status: 400,
    type: invalid,
    code: "invalid_value",
    message: "A parameter could not be read.",
  },
  REQUEST_TOO_LARGE: {
    ...{ status: 413, type: invalid, code: "payload_too_large" },
    message: "The request is larger than the gateway takes. Send a large file in parts or by a presigned URL.",
  },
  UNSUPPORTED_MEDIA_TYPE: {
    ...{ status: 415, type: invalid, code: "unsupported_media_type", message: "This content type is not understood." },
  },
  RESOURCE_NOT_FOUND: unknown,
  // How the gateway calls a path that it does not know.
  MISSING_AUTHENTICATION_TOKEN: unknown,
  ACCESS_DENIED: { ...forbidden, message: "The gateway does not let this request through." },
  WAF_FILTERED: { ...forbidden, message: "The firewall does not let this request through." },
  THROTTLED: { ...tooMany, message: "Too many requests. Try again in a second." },
  QUOTA_EXCEEDED: { ...tooMany, message: "Too many requests. Try again later." },
  INTEGRATION_FAILURE: { ...failed, status: 502, retryAfter: 1 },
  INTEGRATION_TIMEOUT: {
    ...{ status: 504, type: "server_error", code: "gateway_timeout" },
    message: "It took longer than the gateway waits. What was begun may go on.",
  },
};

export const refusalBody = ({ message, type, code }: Refusal): string =>
  JSON.stringify({ error: { message, type, param: null, code } });

export function speakAsTheApi(api: RestApi): void {
  for (const [name, refusal] of Object.entries(refusals)) {
    const type = types[name as keyof typeof types] as types;
    const { status, retryAfter } = refusal;
    api.addGatewayResponse(name, {
      type,
      statusCode: String(status),
      responseHeaders: {
        "content-type": "'application/json'",
        "x-request-id": "context.requestId",
        "access-control-allow-origin": "'*'",
        ...(retryAfter !== undefined && { "retry-after": `'${retryAfter}'` }),
      },
      templates: { "application/json": refusalBody(refusal) },
    });
  }
}
