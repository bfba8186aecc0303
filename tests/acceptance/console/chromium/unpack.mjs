// Unpacks the browser that @sparticuz/chromium carries (brotli, which Python has not) into this folder.
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";

const PACKED = "node_modules/@sparticuz/chromium/bin";
for (const name of ["chromium", "al2023.tar", "swiftshader.tar", "fonts.tar"]) {
  await pipeline(createReadStream(`${PACKED}/${name}.br`), createBrotliDecompress(), createWriteStream(name));
}
