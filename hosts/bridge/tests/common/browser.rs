//! A browser, as far as it matters: cookies of one site, and no redirect unasked.

use std::collections::BTreeMap;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, header};

use super::{Reply, http::send};

/// Cookies by name.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    pub cookies: BTreeMap<String, String>,
}

impl Browser {
    /// GET, with the cookies.
    pub async fn get(&mut self, url: &str) -> Reply {
        self.send(Request::get(url), String::new()).await
    }

    /// A form, with the cookies and further headers.
    pub async fn post(
        &mut self,
        url: &str,
        headers: &[(&str, &str)],
        form: &[(&str, &str)],
    ) -> Reply {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let mut request =
            Request::post(url).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request, body.finish()).await
    }

    /// Any request, with the cookies.
    pub async fn send(&mut self, request: hyper::http::request::Builder, body: String) -> Reply {
        let pairs = self.cookies.iter();
        let pairs: Vec<_> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = request.header(header::COOKIE, pairs.join("; "));
        let reply = send(request.body(Full::from(Bytes::from(body))).unwrap()).await;
        for field in reply.headers.get_all(header::SET_COOKIE) {
            let text = field.to_str().unwrap();
            let mut parts = text.split("; ");
            let (name, value) = parts.next().unwrap().split_once('=').unwrap();
            if name.starts_with("__Host-") {
                for needed in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
                    assert!(text.split("; ").any(|part| part == needed), "{text}");
                }
                assert!(!text.contains("Domain"), "{text}");
            }
            match parts.any(|part| part == "Max-Age=0") {
                true => drop(self.cookies.remove(name)),
                false => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
        reply
    }
}
