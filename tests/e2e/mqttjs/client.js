// A client of MQTT.js that does what its standard input says: see ../programs/README.md.

import { createRequire } from "node:module";
import readline from "node:readline";

// The packages are installed below the target folder, away from this file.
const mqtt = createRequire(`${process.env.TENFOUR_NODE_MODULES}/../`)("mqtt");

let client;

function say(line) {
  process.stdout.write(JSON.stringify(line) + "\n");
}

/** Pairs as MQTT.js takes them: a name has one value or a list of them. */
function grouped(pairs) {
  const groups = {};
  for (const [name, value] of pairs) {
    (groups[name] ??= []).push(value);
  }
  return groups;
}

function ungrouped(groups) {
  return Object.entries(groups).flatMap(([name, values]) =>
    [values].flat().map((value) => [name, value]));
}

function toProperties(given) {
  const made = {};
  if (given.content_type) made.contentType = given.content_type;
  if (given.response_topic) made.responseTopic = given.response_topic;
  if (given.correlation_data) made.correlationData = Buffer.from(given.correlation_data);
  if (given.user_properties) made.userProperties = grouped(given.user_properties);
  return made;
}

function fromProperties(received = {}) {
  const told = {};
  if (received.contentType) told.content_type = received.contentType;
  if (received.responseTopic) told.response_topic = received.responseTopic;
  if (received.correlationData) told.correlation_data = received.correlationData.toString();
  if (received.userProperties) told.user_properties = ungrouped(received.userProperties);
  return told;
}

const commands = {
  connect(command) {
    const options = {
      clientId: command.client_id,
      protocolVersion: command.version === 5 ? 5 : 4,
      clean: command.clean,
      reconnectPeriod: 100,
    };
    if (command.will) options.will = command.will;
    if (command.version === 5 && command.session_expiry !== null) {
      options.properties = { sessionExpiryInterval: command.session_expiry };
    }
    client = mqtt.connect(command.url, options);
    client.on("message", (topic, payload, { qos, retain, properties }) => {
      const received = fromProperties(properties);
      say({ message: { topic, payload: payload.toString(), qos, retain, properties: received } });
    });
    return new Promise((resolve, reject) => {
      client.once("error", reject);
      client.once("connect", (connack) => {
        resolve({ session_present: connack.sessionPresent });
        client.on("connect", () => say({ online: true }));
      });
    });
  },

  async subscribe({ filter, qos }) {
    const granted = await client.subscribeAsync(filter, { qos });
    return { granted: granted.map((grant) => grant.qos) };
  },

  async unsubscribe({ filter }) {
    await client.unsubscribeAsync(filter);
  },

  async publish({ topic, payloads, qos, retain, properties }) {
    const options = { qos, retain };
    if (client.options.protocolVersion === 5) options.properties = toProperties(properties);
    await Promise.all(payloads.map((payload) => client.publishAsync(topic, payload, options)));
  },

  async disconnect() {
    await client.endAsync();
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    say({ answer: command.do, ...(await commands[command.do](command)) });
  } catch (error) {
    say({ answer: command.do, error: String(error) });
  }
}
process.exit(0);
