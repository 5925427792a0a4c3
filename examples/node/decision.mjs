// Retrieves the decision of a session and prints it as JSON.
//
//   DIDIT_BASE_URL=... DIDIT_CLIENT_ID=... DIDIT_CLIENT_SECRET=... node decision.mjs SESSION_ID
//
// It does not use the SDK: any language can call the API, or `didit sandbox`, like this.

const { DIDIT_BASE_URL: base, DIDIT_CLIENT_ID: id, DIDIT_CLIENT_SECRET: secret } = process.env;

async function request(path, options) {
  const response = await fetch(base + path, { redirect: 'error', ...options });
  const data = await response.json();
  if (!response.ok) {
    throw new Error(`HTTP ${response.status}: ${data.message ?? data.detail ?? data.error}`);
  }
  return data;
}

function clientToken() {
  const pair = [id, secret].map(encodeURIComponent).join(':');
  return request('/auth/v2/token/', {
    method: 'POST',
    headers: { Authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
}

async function sessionDecision(sessionId) {
  const token = await clientToken();
  return request(`/auth/v2/session/${sessionId}/decision/`, {
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Bearer ${token.access_token}`,
    },
  });
}

try {
  console.log(JSON.stringify(await sessionDecision(process.argv[2]), null, 2));
} catch (error) {
  console.error(`could not retrieve the decision: ${error.message}`);
  process.exitCode = 1;
}
