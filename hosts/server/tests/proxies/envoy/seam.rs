//! The attacks on the seam, and the life of the server: as for every other proxy.

use serde_json::json;

use super::{BOTH, Scene, binary, careless};
use crate::{life, seams::Seam, stage::issuer::Tokens};

#[test]
fn envoy_passes_on_what_the_gate_allows_and_nothing_else() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    for kind in BOTH {
        for change in [String::from, careless] as [fn(String) -> String; 2] {
            let scene = Scene::with(&binary, kind, &tokens.policy(json!({})), change);
            let seam = Seam {
                proxy: scene.envoy.address,
                origin: &scene.origin,
                tokens: &tokens,
            };
            seam.a_good_token_passes();
            seam.nobody_passes_without_a_good_token();
            seam.a_client_cannot_name_itself();
            seam.there_are_no_two_targets();
            seam.a_body_and_its_method_go_on();
            seam.an_upgrade_to_h2c_is_no_tunnel();
            seam.a_websocket_needs_a_good_token();
        }
    }
}

#[test]
fn nobody_without_a_token_reaches_what_is_protected_by_envoy() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    for kind in BOTH {
        let scene = Scene::new(&binary, kind, &tokens.policy(json!({})));
        let seam = Seam {
            proxy: scene.envoy.address,
            origin: &scene.origin,
            tokens: &tokens,
        };
        seam.nobody_without_a_token_reaches_what_is_protected();
    }
}

#[test]
fn envoy_lets_nobody_pass_while_the_server_is_away_or_changes() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    for kind in BOTH {
        let mut scene = Scene::new(&binary, kind, &tokens.policy(json!({})));
        let seam = Seam {
            proxy: scene.envoy.address,
            origin: &scene.origin,
            tokens: &tokens,
        };
        let server = &mut scene.server;
        life::a_server_that_is_down_lets_nobody_pass(&seam, server);
        life::nobody_passes_while_all_changes(&seam, server, || {});
    }
}
