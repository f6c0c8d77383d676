//! The real cases beside the repository, where they are present: the policy that
//! `init` prints decides them as their READMEs say.

use std::{fs, path::PathBuf};

use countersign::{Code, Decision};

use crate::bench::Bench;

/// A file of a case.
fn file(case: &str, name: &str) -> Option<String> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/cases");
    fs::read_to_string(beside.join(case).join(name)).ok()
}

fn code(bench: &mut Bench, case: &str, token: &str) -> Option<Code> {
    let token = file(case, token).expect("a token of the case");
    match bench.decide("/", token.trim()) {
        Decision::Allow(_) => None,
        Decision::Deny(denial) => Some(denial.code),
        Decision::Wait(_) | Decision::Answer(_) => unreachable!(),
    }
}

#[track_caller]
fn bench(case: &str, provider: &str, values: &[(&str, &str)], address: &str) -> Option<Bench> {
    let keys = serde_json::from_str(&file(case, "jwks.json")?).expect("keys of the case");
    Some(Bench::new(provider, values).publishes(address, keys))
}

#[test]
fn entra_of_any_tenant() {
    let case = "16-entra-any-tenant";
    let values = [("client-id", "00000000-0000-4000-8000-00000000c11e")];
    let keys = "https://login.microsoftonline.com/common/discovery/v2.0/keys";
    let Some(mut entra) = bench(case, "entra-any-tenant", &values, keys) else {
        return;
    };
    assert_eq!(code(&mut entra, case, "token-a.txt"), None);
    assert_eq!(code(&mut entra, case, "token-b.txt"), None);
}

#[test]
fn kubernetes_bound_and_legacy() {
    let case = "35-kubernetes-service-account";
    let values = [
        ("issuer", "https://kubernetes.default.svc.cluster.local"),
        ("audience", "https://registry.example.com"),
        ("namespace", "ci"),
        ("service-account", "builder"),
    ];
    let keys = "https://kubernetes.default.svc.cluster.local/openid/v1/jwks";
    let Some(mut kubernetes) = bench(case, "kubernetes", &values, keys) else {
        return;
    };
    assert_eq!(code(&mut kubernetes, case, "token.txt"), None);
    let legacy = code(&mut kubernetes, case, "token-legacy.txt");
    assert_eq!(legacy, Some(Code::IssuerUnknown));
}

#[test]
fn cloudflare_people_and_service_tokens() {
    let case = "37-cloudflare-access";
    let values = [
        ("domain", "team.cloudflareaccess.com"),
        ("audience", "f86125"),
    ];
    let keys = "https://team.cloudflareaccess.com/cdn-cgi/access/certs";
    let Some(access) = bench(case, "cloudflare-access", &values, keys) else {
        return;
    };
    let mut access = access.in_header("cf-access-jwt-assertion");
    assert_eq!(code(&mut access, case, "token-user.txt"), None);
    assert_eq!(code(&mut access, case, "token-service.txt"), None);
}

#[test]
fn cognito_and_workos_without_aud() {
    let case = "42-no-aud-cognito-workos";
    let pool = [("user-pool", "eu-central-1_Demo"), ("client-id", "4f6m")];
    let keys =
        "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Demo/.well-known/jwks.json";
    let Some(mut cognito) = bench(case, "cognito", &pool, keys) else {
        return;
    };
    assert_eq!(code(&mut cognito, case, "token-cognito.txt"), None);
    let id = code(&mut cognito, case, "token-cognito-id.txt");
    assert_eq!(id, Some(Code::TypeMismatch));

    let keys = "https://api.workos.com/sso/jwks/client_1";
    let values = [("client-id", "client_1")];
    let mut workos = bench(case, "workos", &values, keys).expect("the case is there");
    assert_eq!(code(&mut workos, case, "token-workos.txt"), None);
}
