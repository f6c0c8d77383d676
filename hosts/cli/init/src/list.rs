//! The providers.

use crate::{kind::Kind, provider::Provider, value::Value};

/// All of them, in the order of their names.
pub static PROVIDERS: &[Provider] = &[
    Provider {
        name: "auth-js",
        title: "Auth.js and NextAuth: session tokens that your app signs",
        values: &[
            ORIGIN,
            Value::new("audience", Kind::Text, "a name for your API", "api"),
            SECRET,
            Value::new(
                "cookie",
                Kind::Segment,
                "the session's cookie",
                "__Host-session",
            )
            .or("__Secure-authjs.session-token"),
        ],
        template: include_str!("../providers/auth-js.yaml"),
    },
    Provider {
        name: "auth0",
        title: "Auth0: access tokens for your API",
        values: &[
            Value::new(
                "domain",
                Kind::Host,
                "the domain of your tenant, or your custom domain",
                "acme.eu.auth0.com",
            ),
            Value::new(
                "audience",
                Kind::Text,
                "the identifier of your API",
                "https://api.example.com",
            ),
        ],
        template: include_str!("../providers/auth0.yaml"),
    },
    Provider {
        name: "clerk",
        title: "Clerk: session tokens of version 2",
        values: &[
            Value::new(
                "domain",
                Kind::Host,
                "the host of your Frontend API",
                "clerk.example.com",
            ),
            ORIGIN,
        ],
        template: include_str!("../providers/clerk.yaml"),
    },
    Provider {
        name: "cloudflare-access",
        title: "Cloudflare Access: people and service tokens",
        values: &[
            Value::new(
                "domain",
                Kind::Host,
                "the domain of your team",
                "acme.cloudflareaccess.com",
            ),
            Value::new(
                "audience",
                Kind::Text,
                "the AUD tag of your application",
                "32eafc7626e974616deaf0dc3ce63d7b",
            ),
        ],
        template: include_str!("../providers/cloudflare-access.yaml"),
    },
    Provider {
        name: "cognito",
        title: "Amazon Cognito: access tokens of a user pool",
        values: &[
            Value::new(
                "user-pool",
                Kind::UserPool,
                "the ID of your user pool",
                "eu-central-1_a1B2c3D4e",
            ),
            Value::new(
                "client-id",
                Kind::Segment,
                "the ID of your app client",
                "4f6m1example",
            ),
        ],
        template: include_str!("../providers/cognito.yaml"),
    },
    Provider {
        name: "entra",
        title: "Microsoft Entra ID: one tenant, tokens of version 2",
        values: &[TENANT_ID, API_ID],
        template: include_str!("../providers/entra.yaml"),
    },
    Provider {
        name: "entra-any-tenant",
        title: "Microsoft Entra ID: any tenant, tokens of version 2",
        values: &[API_ID],
        template: include_str!("../providers/entra-any-tenant.yaml"),
    },
    Provider {
        name: "entra-v1-v2",
        title: "Microsoft Entra ID: one tenant, tokens of both versions",
        values: &[
            TENANT_ID,
            API_ID,
            Value::new(
                "audience",
                Kind::Text,
                "the application ID URI of your API",
                "api://22222222-bbbb-4bbb-8bbb-00000000c11e",
            )
            .or("api://{{client-id}}"),
        ],
        template: include_str!("../providers/entra-v1-v2.yaml"),
    },
    Provider {
        name: "firebase",
        title: "Firebase and Google Cloud Identity Platform: ID tokens",
        values: &[FIREBASE_PROJECT],
        template: include_str!("../providers/firebase.yaml"),
    },
    Provider {
        name: "firebase-session",
        title: "Firebase: session cookies",
        values: &[FIREBASE_PROJECT],
        template: include_str!("../providers/firebase-session.yaml"),
    },
    Provider {
        name: "generic",
        title: "any other OpenID provider",
        values: &[
            Value::new(
                "issuer",
                Kind::Url,
                "the `iss` of its tokens, byte by byte",
                "https://id.example.com",
            ),
            Value::new(
                "audience",
                Kind::Text,
                "the `aud` of tokens for your API",
                "https://api.example.com",
            ),
            Value::new(
                "algorithm",
                Kind::Algorithm,
                "the `alg` of its tokens",
                "ES256",
            )
            .or("RS256"),
        ],
        template: include_str!("../providers/generic.yaml"),
    },
    Provider {
        name: "github-actions",
        title: "GitHub Actions: workflows of one repository",
        values: &[
            Value::new(
                "audience",
                Kind::Text,
                "what the workflow asks the token for",
                "https://deploy.example.com",
            ),
            Value::new(
                "owner-id",
                Kind::Digits,
                "the ID of the organization: `gh api orgs/NAME --jq .id`",
                "123456",
            ),
            Value::new(
                "repository-id",
                Kind::Digits,
                "the ID of the repository: `gh api repos/OWNER/NAME --jq .id`",
                "456789",
            ),
            BRANCH,
        ],
        template: include_str!("../providers/github-actions.yaml"),
    },
    Provider {
        name: "gitlab-ci",
        title: "GitLab CI/CD: jobs of one project",
        values: &[
            Value::new(
                "domain",
                Kind::Host,
                "the host of GitLab",
                "gitlab.example.com",
            )
            .or("gitlab.com"),
            Value::new(
                "audience",
                Kind::Text,
                "the `aud` in the job's `id_tokens`",
                "https://deploy.example.com",
            ),
            Value::new(
                "project-id",
                Kind::Digits,
                "the ID of the project, on its first page",
                "20",
            ),
            BRANCH,
        ],
        template: include_str!("../providers/gitlab-ci.yaml"),
    },
    Provider {
        name: "google",
        title: "Google: ID tokens of people who sign in",
        values: &[
            Value::new(
                "client-id",
                Kind::Segment,
                "the client ID of your app",
                "1234-abcd.apps.googleusercontent.com",
            ),
            Value::new(
                "hosted-domain",
                Kind::Host,
                "only people of this Google Workspace",
                "example.com",
            )
            .optional(),
        ],
        template: include_str!("../providers/google.yaml"),
    },
    Provider {
        name: "google-iap",
        title: "Google Identity-Aware Proxy: the header that it signs",
        values: &[Value::new(
            "audience",
            Kind::Text,
            "the Signed Header JWT Audience of your application",
            "/projects/1234567890/global/backendServices/9876543210",
        )],
        template: include_str!("../providers/google-iap.yaml"),
    },
    Provider {
        name: "keycloak",
        title: "Keycloak: access tokens with realm and client roles",
        values: &[KEYCLOAK, REALM, KEYCLOAK_CLIENT],
        template: include_str!("../providers/keycloak.yaml"),
    },
    Provider {
        name: "keycloak-organizations",
        title: "Keycloak: access tokens with organizations",
        values: &[KEYCLOAK, REALM, KEYCLOAK_CLIENT],
        template: include_str!("../providers/keycloak-organizations.yaml"),
    },
    Provider {
        name: "kubernetes",
        title: "Kubernetes: service accounts of a cluster",
        values: &[
            Value::new(
                "issuer",
                Kind::Url,
                "the cluster's issuer: `kubectl get --raw /.well-known/openid-configuration`",
                "https://kubernetes.default.svc.cluster.local",
            ),
            Value::new(
                "audience",
                Kind::Text,
                "the `audience` of the token's volume",
                "https://api.example.com",
            ),
            Value::new(
                "namespace",
                Kind::Segment,
                "the namespace of the service account",
                "shop",
            ),
            Value::new(
                "service-account",
                Kind::Segment,
                "the service account",
                "cart",
            ),
            Value::new(
                "jwks-uri",
                Kind::Url,
                "the `jwks_uri` of the same document",
                "https://kubernetes.default.svc.cluster.local/openid/v1/jwks",
            )
            .or("{{issuer}}/openid/v1/jwks"),
        ],
        template: include_str!("../providers/kubernetes.yaml"),
    },
    Provider {
        name: "okta",
        title: "Okta: access tokens of a custom authorization server",
        values: &[
            Value::new(
                "domain",
                Kind::Host,
                "the domain of your Okta organization",
                "acme.okta.com",
            ),
            Value::new(
                "audience",
                Kind::Text,
                "the audience of the authorization server",
                "https://api.example.com",
            )
            .or("api://default"),
            Value::new(
                "server",
                Kind::Segment,
                "the ID of the authorization server",
                "aus1a2b3c4",
            )
            .or("default"),
        ],
        template: include_str!("../providers/okta.yaml"),
    },
    Provider {
        name: "spiffe",
        title: "SPIFFE: JWT-SVIDs of a trust domain",
        values: &[
            Value::new(
                "trust-domain",
                Kind::Segment,
                "the trust domain",
                "prod.example",
            ),
            Value::new(
                "audience",
                Kind::Text,
                "the name of your service, for which callers ask their JWT-SVID",
                "spiffe://prod.example/ns/shop/sa/api",
            ),
            Value::new(
                "bundle",
                Kind::Url,
                "the address of the trust bundle",
                "https://spire.example.com/bundle",
            ),
        ],
        template: include_str!("../providers/spiffe.yaml"),
    },
    Provider {
        name: "supabase",
        title: "Supabase: users' tokens, signed with a signing key (ES256)",
        values: &[SUPABASE_PROJECT],
        template: include_str!("../providers/supabase.yaml"),
    },
    Provider {
        name: "supabase-legacy",
        title: "Supabase: users' tokens, signed with the legacy JWT secret (HS256)",
        values: &[SUPABASE_PROJECT, SECRET, SUPABASE_KEY_ID],
        template: include_str!("../providers/supabase-legacy.yaml"),
    },
    Provider {
        name: "supabase-migration",
        title: "Supabase: users' tokens while a project moves to ES256",
        values: &[SUPABASE_PROJECT, SECRET, SUPABASE_KEY_ID],
        template: include_str!("../providers/supabase-migration.yaml"),
    },
    Provider {
        name: "workos",
        title: "WorkOS AuthKit: access tokens of sessions",
        values: &[
            Value::new(
                "client-id",
                Kind::Segment,
                "the client ID of your environment",
                "client_01HXYZ",
            ),
            Value::new(
                "issuer",
                Kind::Url,
                "the `iss` of its tokens",
                "https://api.workos.com",
            )
            .or("https://api.workos.com/user_management/{{client-id}}"),
        ],
        template: include_str!("../providers/workos.yaml"),
    },
    Provider {
        name: "zitadel",
        title: "Zitadel: access tokens (JWT) with the roles of a project",
        values: &[
            Value::new(
                "domain",
                Kind::Host,
                "the domain of your instance",
                "acme.zitadel.cloud",
            ),
            Value::new(
                "project-id",
                Kind::Digits,
                "the resource ID of your project",
                "69234237810729019",
            ),
        ],
        template: include_str!("../providers/zitadel.yaml"),
    },
];

const ORIGIN: Value = Value::new(
    "origin",
    Kind::Origin,
    "the origin of your web app",
    "https://app.example.com",
);

const BRANCH: Value =
    Value::new("branch", Kind::Text, "the branch that may call", "release").or("main");

const TENANT_ID: Value = Value::new(
    "tenant-id",
    Kind::Uuid,
    "the ID of your tenant",
    "11111111-aaaa-4aaa-8aaa-000000000001",
);

const API_ID: Value = Value::new(
    "client-id",
    Kind::Uuid,
    "the application (client) ID of your API",
    "22222222-bbbb-4bbb-8bbb-00000000c11e",
);

const FIREBASE_PROJECT: Value = Value::new(
    "project",
    Kind::Segment,
    "the ID of your Firebase project",
    "acme-1a2b3",
);

const KEYCLOAK: Value = Value::new(
    "domain",
    Kind::Host,
    "the host of Keycloak",
    "id.example.com",
);

const REALM: Value = Value::new("realm", Kind::Segment, "the realm", "acme");

const KEYCLOAK_CLIENT: Value = Value::new(
    "audience",
    Kind::Text,
    "the client ID of your API",
    "shop-api",
);

const SUPABASE_PROJECT: Value = Value::new(
    "project",
    Kind::Segment,
    "the reference of your project",
    "abcdefghijklmnopqrst",
);

const SUPABASE_KEY_ID: Value = Value::new(
    "key-id",
    Kind::Text,
    "the `kid` of tokens that are signed with the secret, if they have one",
    "IBZFPqpuE0oC+hnZ",
)
.optional();

const SECRET: Value = Value::new(
    "secret-file",
    Kind::Secret,
    "a file with the secret that signs the tokens",
    "secret.txt",
);

/// The provider of this name.
pub fn provider(name: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| provider.name == name)
}
