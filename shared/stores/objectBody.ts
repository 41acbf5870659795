/** An object's bytes over lines that break: read on from where one broke off. */
import { Readable } from "node:stream";
import { GetObjectCommand, type GetObjectCommandOutput, type S3Client } from "@aws-sdk/client-s3";

/** Lines that break one after the other before a byte has come through. */
const mostBreaks = 5;

/** Of the object as it is now: should it be replaced meanwhile, the stream fails. Throws what `GetObject` throws. */
export async function openBody(s3: S3Client, place: { Bucket: string; Key: string }): Promise<Readable> {
  const opened = await s3.send(new GetObjectCommand(place));
  const reopen = async (from: number) => {
    const rest = { ...place, Range: `bytes=${from}-`, IfMatch: opened.ETag };
    return (await s3.send(new GetObjectCommand(rest))).Body as Readable;
  };
  return Readable.from(unbroken(opened, reopen), { objectMode: false });
}

async function* unbroken({ Body, ContentLength }: GetObjectCommandOutput, reopen: (from: number) => Promise<Readable>) {
  let body = Body as Readable;
  let read = 0;
  let breaks = 0;
  try {
    for (let chunks = body.iterator(); ; ) {
      let chunk: IteratorResult<Buffer>;
      // Only what comes from the line: whoever reads may throw here, too.
      try {
        chunk = await chunks.next();
      } catch (error) {
        if (read === ContentLength) return;
        if (++breaks > mostBreaks) throw error;
        body.destroy();
        body = await reopen(read);
        chunks = body.iterator();
        continue;
      }
      if (chunk.done) return;
      read += chunk.value.length;
      breaks = 0;
      yield chunk.value;
    }
  } finally {
    body.destroy();
  }
}
