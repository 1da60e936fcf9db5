//! What to paste: the commands `tenfour dev` prints once it is ready.

use std::fmt;
use std::path::Path;

use super::ReadyFile;
use crate::config::ListenerName;

const PAYLOAD: &str = "{\"action\": \"reboot\"}";
const TOPIC: &str = "commands/reboot";
/// Sorted and percent-encoded, as SigV4 wants a query and as curl signs it.
const QUERY: &str = "confirmation=true&timeout=10&topic=commands%2Freboot";

/// Commands to send to the device of the data folder, and to be that device, made for the
/// addresses that are in use. Its [`Display`](fmt::Display) is the text.
#[derive(Clone, Copy, Debug)]
pub struct Guide<'a> {
    /// What is running.
    pub ready: &'a ReadyFile,
    /// How this program was called, such as `tenfour`.
    pub program: &'a str,
}

impl fmt::Display for Guide<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.device(f)?;
        self.curl_x509(f)?;
        self.sigv4(f)
    }
}

impl Guide<'_> {
    /// `localhost:PORT` of a listener. The server's certificate is for the name, and for loopback
    /// addresses; a listener on all addresses is reached by the name as well.
    fn endpoint(&self, name: ListenerName) -> Option<String> {
        let address = self.ready.listeners.get(name.as_str())?;
        let local = address.ip().is_loopback() || address.ip().is_unspecified();
        Some(if local { format!("localhost:{}", address.port()) } else { address.to_string() })
    }

    fn device(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(device), Some(ca)) = (&self.ready.device, &self.ready.ca) else { return Ok(()) };
        let Some(endpoint) = self.endpoint(ListenerName::Mqtts) else { return Ok(()) };
        let Some((host, port)) = endpoint.rsplit_once(':') else { return Ok(()) };
        let (id, program) = (shell(&device.client_id), shell(self.program));
        let [ca, cert, key] = [ca, &device.cert, &device.key].map(|path| shell_path(path));
        writeln!(f, "# Be the device, in another terminal:")?;
        writeln!(f, "{program} listen {id} --endpoint {endpoint} \\")?;
        writeln!(f, "  --ca {ca} \\\n  --cert {cert} \\\n  --key {key}\n")?;
        writeln!(f, "# or, with mosquitto (it wants a subscription; direct messages need none):")?;
        writeln!(f, "mosquitto_sub -h {host} -p {port} -i {id} -V mqttv5 -v -t 'responses/#' \\")?;
        writeln!(f, "  --cafile {ca} \\\n  --cert {cert} \\\n  --key {key}\n")
    }

    fn curl_x509(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(device), Some(ca)) = (&self.ready.device, &self.ready.ca) else { return Ok(()) };
        let Some(endpoint) = self.endpoint(ListenerName::HttpsX509) else { return Ok(()) };
        let [ca, cert, key] = [ca, &device.cert, &device.key].map(|path| shell_path(path));
        let url = format!("https://{endpoint}/connections/{}/messages?{QUERY}", device.client_id);
        writeln!(f, "# Send to it with a client certificate (here the device's own):")?;
        writeln!(f, "curl --tlsv1.2 \\\n  --cacert {ca} \\\n  --cert {cert} \\\n  --key {key} \\")?;
        writeln!(f, "  --request POST --data {} \\", shell(PAYLOAD))?;
        writeln!(f, "  {}\n", shell(&url))
    }

    fn sigv4(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(sender), Some(ca)) = (&self.ready.sender, &self.ready.ca) else { return Ok(()) };
        let Some(endpoint) = self.endpoint(ListenerName::Https) else { return Ok(()) };
        let id = self.ready.device.as_ref().map_or(super::DEVICE, |device| &device.client_id);
        let region = &self.ready.region;
        let (key, secret) = (&sender.access_key_id, &sender.secret_access_key);
        let (payload, base) = (shell(PAYLOAD), format!("https://{endpoint}"));
        let url = shell(&format!("{base}/connections/{id}/messages?{QUERY}"));
        let shell_ca = shell_path(ca);

        writeln!(f, "# Send to it with an access key (SigV4): curl,")?;
        writeln!(f, "curl --cacert {shell_ca} \\")?;
        writeln!(
            f,
            "  --aws-sigv4 aws:amz:{region}:iotdata --user {} \\",
            shell(&format!("{key}:{secret}"))
        )?;
        writeln!(f, "  --request POST --data {payload} \\\n  {url}\n")?;

        // `fileb:` passes the payload on as it is in both versions of the command line; its
        // version 2 would take a plain one for base64, and version 1 lacks the option to say so.
        writeln!(f, "# the AWS command line,")?;
        writeln!(f, "printf %s {payload} | \\")?;
        writeln!(f, "AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={} \\", shell(secret))?;
        writeln!(f, "AWS_SESSION_TOKEN= AWS_CA_BUNDLE={shell_ca} \\")?;
        writeln!(f, "aws iot-data send-direct-message --client-id {} \\", shell(id))?;
        writeln!(
            f,
            "  --topic {TOPIC} --confirmation --timeout 10 --payload fileb:///dev/stdin \\"
        )?;
        writeln!(f, "  --region {region} --endpoint-url {base}\n")?;

        writeln!(f, "# or boto3:")?;
        writeln!(f, "python3 - <<'EOF'\nimport boto3\nfrom botocore.config import Config\n")?;
        writeln!(f, "client = boto3.client(\n    \"iot-data\",\n    region_name=\"{region}\",")?;
        writeln!(f, "    endpoint_url=\"{base}\",\n    verify={},", python_path(ca))?;
        writeln!(f, "    aws_access_key_id=\"{key}\",\n    aws_secret_access_key=\"{secret}\",")?;
        writeln!(
            f,
            "    # Against AWS a retry after a 504 may deliver the message twice. Here it does"
        )?;
        writeln!(
            f,
            "    # not; but your code can tell more from one answer than from the last of four."
        )?;
        writeln!(f, "    config=Config(retries={{\"total_max_attempts\": 1}}),\n)")?;
        writeln!(f, "response = client.send_direct_message(\n    clientId=\"{id}\",")?;
        writeln!(f, "    topic=\"{TOPIC}\",\n    confirmation=True,\n    timeout=10,")?;
        writeln!(f, "    contentType=\"application/json\",\n    payload=b'{PAYLOAD}',\n)")?;
        writeln!(f, "print(response[\"message\"], response[\"traceId\"])\nEOF")
    }
}

/// One word of a POSIX shell.
fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn shell_path(path: &Path) -> String {
    shell(&path.to_string_lossy())
}

/// A Python string; JSON's escapes are among Python's.
fn python_path(path: &Path) -> String {
    serde_json::Value::from(path.to_string_lossy()).to_string()
}
