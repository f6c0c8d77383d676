//! What to try next, as lines for a shell that keep cookies in the file `jar`.

use std::path::Path;

use serde_json::{Value, json};

use super::{Sites, folder::CONFIG};

/// One thing to try.
pub(super) struct Step {
    pub(super) title: String,
    /// For a shell, in their order. None: it is for a browser alone.
    pub(super) lines: Vec<String>,
}

impl Step {
    pub(super) fn as_json(&self) -> Value {
        json!({ "title": self.title, "lines": self.lines })
    }
}

/// In this order: each uses what those before it have made.
pub(super) fn all(sites: &Sites, folder: &Path) -> Vec<Step> {
    let bridge = &sites.bridge;
    let config = quoted(&folder.join(CONFIG).display().to_string());
    let worker = quoted(&folder.join("worker").display().to_string());
    let login = format!("{bridge}/auth/login?return_to=/auth/session");
    let step = |title: &str, lines| Step {
        title: title.to_owned(),
        lines,
    };
    vec![
        Step {
            title: format!(
                "In a browser, sign in as Ada Lovelace: {bridge}/auth/login?return_to=/pair"
            ),
            lines: Vec::new(),
        },
        step(
            "The same in a shell, as a browser does it: the session is in `jar`",
            vec![
                format!("to=$(curl -s -c jar -o answer -w '%{{redirect_url}}' '{login}')"),
                "curl -s -L -b jar -c jar -d \"${to#*\\?}&person=ada\" \"${to%%\\?*}\" | tee answer"
                    .to_owned(),
                format!("csrf=$({})", field("csrf")),
            ],
        ),
        step(
            "Exchange the session for a token of the platform",
            vec![format!(
                "curl -s -b jar -d client_id=web -d tenant=acme --data-urlencode csrf=$csrf \
                 {bridge}/auth/session/exchange"
            )],
        ),
        step(
            "A node asks to be paired, and shows its code",
            vec![
                format!(
                    "curl -s -d client_id=press -d 'device_name=Press 7' {bridge}/pair/start \
                     | tee answer"
                ),
                format!(
                    "code=$({}) device=$({})",
                    field("user_code"),
                    field("device_code")
                ),
            ],
        ),
        step(
            "Approve it at its page in the browser (organisation: acme), or so",
            vec![format!(
                "curl -s -b jar -d user_code=$code -d tenant=acme -d decision=approve \
                 --data-urlencode csrf=$csrf {bridge}/pair"
            )],
        ),
        step(
            "The node gets its join token, joins, and has a token of its own",
            vec![
                format!(
                    "curl -s -d client_id=press -d device_code=$device {bridge}/pair/poll \
                     | tee answer"
                ),
                format!("join=$({})", field("access_token")),
                format!("curl -s -d '' -H \"authorization: Bearer $join\" {bridge}/v1/nodes/join"),
            ],
        ),
        step(
            "Make an API key, and a token of a machine",
            vec![
                format!(
                    "curl -s -b jar -H \"x-csrf-token: $csrf\" -H 'content-type: application/json' \
                     -d '{{\"name\":\"robot\",\"tenant\":\"acme\",\"scopes\":[\"orders:read\"]}}' \
                     {bridge}/v1/keys"
                ),
                format!(
                    "curl -s -d grant_type=client_credentials -d client_id=worker \
                     -d client_secret=$(cat {worker}) {bridge}/oauth/token"
                ),
            ],
        ),
        step(
            "The policy by which gates verify all of these",
            vec![format!("countersign bridge policy --config {config}")],
        ),
    ]
}

/// Prints a member of the JSON object in the file `answer`. No value here has an escape.
fn field(name: &str) -> String {
    format!("sed -n 's/.*\"{name}\":\"\\([^\"]*\\)\".*/\\1/p' answer")
}

/// As one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
