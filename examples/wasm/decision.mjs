// Retrieves a decision with the WebAssembly module, and prints its status and the person's full name.
//
//   DIDIT_BASE_URL=... DIDIT_CLIENT_ID=... DIDIT_CLIENT_SECRET=... node decision.mjs MODULE SESSION_ID

import { createRequire } from 'node:module';

const { DIDIT_BASE_URL: url, DIDIT_CLIENT_ID: id, DIDIT_CLIENT_SECRET: secret } = process.env;
const [module, session] = process.argv.slice(2);

try {
  const { decision } = createRequire(import.meta.url)(module);
  const { session_id, status, user_data } = JSON.parse(await decision(url, id, secret, session));
  console.log(`${session_id}: ${status}, ${user_data?.names?.full_name ?? 'nobody'}`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
