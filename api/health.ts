/** Whether the API of this container answers: `node api/health.ts` ends with 0 if so. For the image's health check. */
const { MILLRACE_PORT: port } = process.env;

const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(5000) }).catch(
  () => undefined,
);
process.exitCode = answer?.ok ? 0 : 1;
