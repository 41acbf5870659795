/** The routes that run models. On AWS the gateway sends them to the function that has the model host, and all others to the light one. */

/** By path, as the contract has it; chat completions are kept and looked up under the path they are made at. */
export const modelRoutes: Readonly<Record<string, readonly ("GET" | "POST")[]>> = {
  "/v1/chat/completions": ["POST"],
  "/v1/completions": ["POST"],
  "/v1/responses": ["POST"],
  "/v1/decisions": ["POST"],
  "/v1/embeddings": ["POST"],
  "/v1/moderations": ["POST"],
  "/v1/models/{id}/infer": ["POST"],
  "/v1/models/{id}/drift": ["GET"],
  "/v1/functions/{name}/drift": ["GET"],
  "/v1/fine_tuning/alpha/graders/run": ["POST"],
};
