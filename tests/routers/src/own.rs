//! Mutations for the special addresses and headers of one router.

/// Mutations that have a meaning for one router only.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    /// Texts to put before a target.
    pub fronts: &'static [&'static str],
    /// Texts to put at the end of a target, or at any place in it.
    pub pieces: &'static [&'static str],
    /// Header fields to add.
    pub fields: &'static [(&'static str, &'static str)],
}

pub(crate) const NONE: Own = Own {
    fronts: &[],
    pieces: &[],
    fields: &[],
};

/// Next.js has special addresses for the data of pages, images and intercepting
/// routes, and headers that earlier versions trusted.
pub(crate) const NEXT: Own = Own {
    fronts: &[
        "/_next/data/build",
        "/_next/data/build",
        "/_next/data",
        "/_next/data/other",
        "/_next",
        "/_next/static",
        "/_next/image?w=64&q=75&url=",
        "/index",
        "/en",
        "/(.)",
        "/api",
    ],
    pieces: &[
        ".json",
        ".json",
        ".rsc",
        ".rsc",
        ".txt",
        ".prefetch.rsc",
        ".segments/_tree.segment.rsc",
        ".segments/__PAGE__.segment.rsc",
        ".action",
        "?_rsc=1",
        "?rsc=1",
        "?nextParamrest=admin",
        "?nxtPid=2",
        "?nxtIid=2",
        "/index",
        "/route",
        "/page",
        "(.)",
        "(..)",
        "/(..)(..)",
        "/(...)",
        "[id]",
        "[[...rest]]",
        "/_next/data/build/",
        "/%5Bid%5D",
        "/$nxtPid",
    ],
    fields: &[
        ("RSC", "1"),
        ("Next-Router-Prefetch", "1"),
        ("Next-Router-Segment-Prefetch", "/_tree"),
        ("Next-Router-State-Tree", "%5B%22admin%22%5D"),
        ("Next-Url", "/admin/a"),
        ("Next-Action", "000000000000000000000000000000000000000000"),
        ("X-Nextjs-Data", "1"),
        ("X-Nextjs-Rewrite", "/admin/a"),
        ("X-Matched-Path", "/admin/a"),
        ("X-Invoke-Path", "/admin/a"),
        ("X-Invoke-Output", "/admin/[[...rest]]"),
        ("X-Now-Route-Matches", "1=a"),
        ("X-Middleware-Rewrite", "/admin/a"),
        ("X-Middleware-Next", "1"),
        ("X-Middleware-Override-Headers", "x-auth-subject"),
        ("X-Middleware-Request-X-Auth-Subject", "eve"),
        ("X-Middleware-Subrequest", "proxy:proxy:proxy:proxy:proxy"),
        ("X-Prerender-Revalidate", "1"),
        ("Next-Resume", "1"),
    ],
};
