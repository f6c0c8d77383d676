//! Resources for gateways that `countersign proxy-config` prints, against the published
//! schemas of their kinds.

use countersign_artefact_tests::yaml;
use countersign_proxy_config::{Kind, Options, generate};
use serde_json::{Value, json};

use crate::schemas::{fault, published};

/// Kinds without a schema in the folder. `IstioOperator` has none for what stands in it.
const WITHOUT_SCHEMA: [&str; 3] = ["ClientTrafficPolicy", "HTTPRoute", "IstioOperator"];

fn resources(kind: Kind) -> Vec<Value> {
    let policy = json!({
        "contract": "1",
        "credentials": [{ "header": "authorization", "scheme": "Bearer" }, { "cookie": "session", "same_origin": true }],
        "rules": [{
            "path": "/mcp/**",
            "require": { "tenant": { "header": "x-scope-orgid" } },
            "challenge": { "resource_metadata": {
                "resource": "https://app.example.com/mcp",
                "authorization_servers": ["https://id.example.com"],
            } },
        }],
        "forward": { "x-auth-subject": "subject" },
        "strip_credential": true,
    });
    let options = Options {
        server: "countersign.security.svc.cluster.local:9191"
            .parse()
            .unwrap(),
        origin: "app.shop:8080".parse().unwrap(),
        policy_name: "app".to_owned(),
        ..Options::default()
    };
    let generated = generate(kind, &policy, &options).unwrap();
    yaml::parse(&generated.text)
}

#[test]
fn every_printed_resource_satisfies_its_schema() {
    let Some(schemas) = published() else {
        return;
    };
    let mut without = Vec::new();
    for kind in [Kind::EnvoyGateway, Kind::GatewayApi, Kind::Istio] {
        for resource in resources(kind) {
            let name = resource["kind"].as_str().unwrap().to_owned();
            let version = resource["apiVersion"].as_str().unwrap().to_owned();
            match schemas.get(&(name.clone(), version)) {
                Some(schema) => {
                    let fault = fault(schema, &resource);
                    assert!(
                        fault.is_none(),
                        "{kind}: {name}: {}",
                        fault.unwrap_or_default()
                    );
                }
                None => without.push(name),
            }
        }
    }
    without.sort();
    without.dedup();
    assert_eq!(without, WITHOUT_SCHEMA);
}

#[test]
fn nothing_that_is_printed_fails_open() {
    let of = |kind: Kind, name: &str| {
        let mut all = resources(kind).into_iter();
        all.find(|resource| resource["kind"] == name).unwrap()
    };
    let policy = of(Kind::EnvoyGateway, "SecurityPolicy");
    assert_eq!(policy["spec"]["extAuth"]["failOpen"], false);
    let operator = of(Kind::Istio, "IstioOperator");
    let provider = &operator["spec"]["meshConfig"]["extensionProviders"][0]["envoyExtAuthzHttp"];
    assert_eq!(provider["failOpen"], false);
    // A path of which nobody is asked leads to the server itself.
    let rule = &of(Kind::Istio, "AuthorizationPolicy")["spec"]["rules"][0];
    let path = "/.well-known/oauth-protected-resource/mcp";
    assert_eq!(rule["to"][0]["operation"]["notPaths"], json!([path]));
    for kind in [Kind::Istio, Kind::GatewayApi] {
        let route = of(kind, "HTTPRoute");
        let first = &route["spec"]["rules"][0];
        assert_eq!(
            first["matches"][0]["path"],
            json!({ "type": "Exact", "value": path })
        );
        let rewrite = &first["filters"][0]["urlRewrite"]["path"]["replaceFullPath"];
        assert_eq!(rewrite, &json!(format!("/answer/app{path}")), "{kind}");
        assert_eq!(first["backendRefs"][0]["name"], "countersign", "{kind}");
    }
}
