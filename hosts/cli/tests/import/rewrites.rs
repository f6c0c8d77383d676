//! Routes that serve another path or host than the gate checks.

use super::{
    BOOKS, SHOP,
    common::{Folder, Run},
    import,
};

/// What is said of rewrites, a line each.
fn rewrites(run: &Run) -> Vec<String> {
    let lines = run.stderr.lines();
    let lines = lines.filter(|line| line.contains("warning[rewritten]"));
    lines.map(str::to_owned).collect()
}

/// The notes are of these routes, parts of the request and members, and no others.
fn expect_rewrites(run: &Run, expected: &[(&str, &str, &str)]) {
    let notes = rewrites(run);
    for (route, what, member) in expected {
        let wanted = format!("`{route}` serves another {what} than the gate checks (`{member}`)");
        assert!(
            notes.iter().any(|note| note.contains(&wanted)),
            "{wanted}\n{run:?}"
        );
    }
    assert_eq!(notes.len(), expected.len(), "{notes:#?}");
}

#[test]
fn every_rewrite_of_a_route_is_warned_of_by_its_name() {
    const ROUTES: &str = r#"
                route_config:
                  virtual_hosts:
                    - name: all
                      domains: ["*"]
                      routes:
                        - name: open
                          match: { prefix: /open }
                          route: { cluster: a, prefix_rewrite: /admin }
                        - name: by-regex
                          match: { prefix: /r }
                          route: { cluster: a, regex_rewrite: { pattern: { regex: "^/r" }, substitution: /admin } }
                        - name: by-template
                          match: { prefix: /t }
                          route: { cluster: a, path_rewrite_policy: { name: x } }
                        - name: to-literal
                          match: { prefix: /l }
                          route: { cluster: a, hostRewriteLiteral: admin.example.com }
                        - name: to-header
                          match: { prefix: /h }
                          route: { cluster: a, host_rewrite_header: x-host }
                        - name: to-path
                          match: { prefix: /p }
                          route: { cluster: a, host_rewrite_path_regex: { substitution: x } }
                        - name: automatic
                          match: { prefix: /a }
                          route: { cluster: a, auto_host_rewrite: true }
                        - name: weighted
                          match: { prefix: /w }
                          route: { weighted_clusters: { clusters: [{ name: b, host_rewrite_literal: b.example.com }] } }
                        - name: elsewhere
                          match: { prefix: /e }
                          redirect: { prefix_rewrite: /f, host_redirect: f.example.com }
                        - name: as-it-is
                          match: { prefix: / }
                          route: { cluster: a, auto_host_rewrite: false }
                http_filters:
                  - name: mutation
                    typed_config:
                      mutations:
                        request_mutations:
                          - append: { header: { key: ":path", value: /admin } }
                          - append: { header: { key: x-other, value: "1" } }"#;
    let text = SHOP.replacen("\n                http_filters:", ROUTES, 1);
    for options in ["--whole-segments", "--whole-segments --plugin"] {
        let folder = Folder::new();
        folder.write("input.yaml", &text);
        let run = folder
            .run(&format!("import envoy input.yaml {options}"))
            .expect(0);
        expect_rewrites(
            &run,
            &[
                ("open", "path", "prefix_rewrite"),
                ("by-regex", "path", "regex_rewrite"),
                ("by-template", "path", "path_rewrite_policy"),
                ("to-literal", "host", "hostRewriteLiteral"),
                ("to-header", "host", "host_rewrite_header"),
                ("to-path", "host", "host_rewrite_path_regex"),
                ("automatic", "host", "auto_host_rewrite"),
                ("b", "host", "host_rewrite_literal"),
                ("mutation", "path", "key"),
            ],
        );
    }
}

#[test]
fn routes_elsewhere_in_the_file_are_read_too() {
    let rds = "\n                rds: { route_config_name: main }\n                http_filters:";
    let text = SHOP.replacen("\n                http_filters:", rds, 1)
        + r#"
resources:
  - name: main
    virtual_hosts: [{ name: all, routes: [{ name: mine, route: { prefix_rewrite: /admin } }] }]
  - name: others
    virtual_hosts: [{ name: all, routes: [{ name: theirs, route: { prefix_rewrite: /admin } }] }]
"#;
    let (run, _) = import("envoy", &text, "--whole-segments");
    let notes = rewrites(&run);
    assert_eq!(notes.len(), 1, "{notes:#?}");
    assert!(
        notes[0].contains("`mine` serves another path"),
        "{notes:#?}"
    );
}

#[test]
fn rewrites_of_virtual_services_and_http_routes_are_warned_of() {
    let text = BOOKS.to_owned()
        + r#"---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: books, namespace: shop }
spec:
  hosts: ["*"]
  http:
    - name: open
      rewrite: { uri: /admin, authority: admin.example.com }
      route: [{ destination: { host: books } }]
    - rewrite: { uriRegexRewrite: { match: "^/r", rewrite: /admin } }
      route: [{ destination: { host: books } }]
    - redirect: { uri: /elsewhere }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: shelf, namespace: shop }
spec:
  rules:
    - filters:
        - type: URLRewrite
          urlRewrite: { hostname: admin.example.com, path: { type: ReplaceFullPath, replaceFullPath: /admin } }
        - type: RequestRedirect
          requestRedirect: { hostname: elsewhere.example.com }
"#;
    for options in ["", "--plugin"] {
        let folder = Folder::new();
        folder.write("input.yaml", &text);
        let run = folder
            .run(&format!("import istio input.yaml {options}"))
            .expect(0);
        expect_rewrites(
            &run,
            &[
                ("open", "path", "uri"),
                ("open", "host", "authority"),
                ("books", "path", "uriRegexRewrite"),
                ("shelf", "host", "hostname"),
                ("shelf", "path", "path"),
            ],
        );
    }
}
