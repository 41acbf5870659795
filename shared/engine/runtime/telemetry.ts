/**
 * ONNX Runtime's builds for Linux and macOS report their use to Microsoft and write to the temporary directory, unless this
 * is set before the library loads: so this is imported before it.
 */
process.env.ORT_DISABLE_TELEMETRY ??= "1";
