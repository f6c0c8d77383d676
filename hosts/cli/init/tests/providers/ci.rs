//! Workflows of GitHub Actions and jobs of GitLab CI/CD.

use countersign::Code::{
    AudienceMismatch, ClaimDenied, ClaimMismatch, ClaimMissing, IssuerUnknown,
};
use serde_json::json;

use crate::{
    bench::Bench,
    token::{RSA, Token, jwks},
};

fn github() -> Bench {
    let values = [
        ("audience", "https://deploy.example.com"),
        ("owner-id", "123456"),
        ("repository-id", "456789"),
    ];
    Bench::new("github-actions", &values).publishes(
        "https://token.actions.githubusercontent.com/.well-known/jwks",
        jwks(&[&RSA]),
    )
}

/// GitHub Docs, "OpenID Connect reference", "OIDC token claims" and "Immutable
/// subject claims".
fn workflow() -> Token {
    Token::new(
        &RSA,
        json!({
            "jti": "example-id",
            "sub": "repo:octo-org@123456/octo-repo@456789:ref:refs/heads/main",
            "aud": "https://deploy.example.com",
            "ref": "refs/heads/main",
            "ref_type": "branch",
            "sha": "a1b2c3",
            "repository": "octo-org/octo-repo",
            "repository_id": "456789",
            "repository_owner": "octo-org",
            "repository_owner_id": "123456",
            "repository_visibility": "private",
            "run_id": "1",
            "actor": "octocat",
            "actor_id": "12",
            "workflow": "deploy",
            "workflow_ref": "octo-org/octo-repo/.github/workflows/deploy.yml@refs/heads/main",
            "job_workflow_ref": "octo-org/octo-repo/.github/workflows/deploy.yml@refs/heads/main",
            "event_name": "push",
            "head_ref": "",
            "base_ref": "",
            "runner_environment": "github-hosted",
            "iss": "https://token.actions.githubusercontent.com",
        }),
    )
}

#[test]
fn github_workflows_of_the_repository_and_branch_pass_with_both_forms_of_subject() {
    let mut github = github();
    github.admits(&workflow());
    github.admits(&workflow().with("sub", json!("repo:octo-org/octo-repo:ref:refs/heads/main")));
    github.admits(&workflow().with("event_name", json!("workflow_dispatch")));
}

#[test]
fn github_refuses_other_repositories_branches_events_and_audiences() {
    let mut github = github();
    let stranger = workflow()
        .with("repository_owner_id", json!("666"))
        .with("repository_id", json!("667"));
    github.refuses(ClaimMismatch, &stranger);
    // A name can be taken by somebody else, the IDs cannot.
    assert_eq!(stranger.compact().split('.').count(), 3);
    github.refuses(ClaimDenied, &workflow().with("repository_id", json!("1")));
    github.refuses(
        ClaimDenied,
        &workflow().with("ref", json!("refs/heads/dev")),
    );
    github.refuses(
        ClaimDenied,
        &workflow().with("ref", json!("refs/tags/main")),
    );
    let pull = workflow()
        .with("ref", json!("refs/pull/7/merge"))
        .with("event_name", json!("pull_request"));
    github.refuses(ClaimDenied, &pull);
    github.refuses(
        ClaimDenied,
        &workflow().with("event_name", json!("pull_request_target")),
    );
    // `aud` "by default … is the URL of the repository owner".
    github.refuses(
        AudienceMismatch,
        &workflow().with("aud", json!("https://github.com/octo-org")),
    );
    let enterprise = workflow().with("iss", json!("https://github.example.com/_services/token"));
    github.refuses(IssuerUnknown, &enterprise);
}

fn gitlab() -> Bench {
    Bench::new(
        "gitlab-ci",
        &[
            ("audience", "https://deploy.example.com"),
            ("project-id", "20"),
        ],
    )
    .publishes("https://gitlab.com/oauth/discovery/keys", jwks(&[&RSA]))
}

/// GitLab Docs, "OpenID Connect (OIDC) Authentication Using ID Tokens", "Token
/// payload".
fn job() -> Token {
    Token::new(
        &RSA,
        json!({
            "namespace_id": "72",
            "namespace_path": "my-group",
            "project_id": "20",
            "project_path": "my-group/my-project",
            "user_id": "1",
            "user_login": "sample-user",
            "user_email": "sample-user@example.com",
            "pipeline_id": "574",
            "pipeline_source": "push",
            "job_id": "302",
            "ref": "main",
            "ref_type": "branch",
            "ref_path": "refs/heads/main",
            "ref_protected": "true",
            "groups_direct": ["my-group"],
            "environment": "production",
            "environment_protected": "true",
            "runner_id": 1,
            "runner_environment": "self-hosted",
            "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
            "project_visibility": "public",
            "jti": "235b3a54-b797-45c7-ae9a-f72d7bc6ef5b",
            "iss": "https://gitlab.com",
            "nbf": 1_795_867_135,
            "sub": "project_path:my-group/my-project:ref_type:branch:ref:main",
            "aud": "https://deploy.example.com",
        }),
    )
}

#[test]
fn gitlab_jobs_of_the_projects_protected_branch_pass() {
    gitlab().admits(&job());
}

#[test]
fn gitlab_refuses_other_projects_branches_and_people_who_sign_in() {
    let mut gitlab = gitlab();
    gitlab.refuses(ClaimMismatch, &job().with("project_id", json!("21")));
    gitlab.refuses(ClaimDenied, &job().with("ref", json!("dev")));
    gitlab.refuses(ClaimDenied, &job().with("ref_type", json!("tag")));
    gitlab.refuses(ClaimDenied, &job().with("ref_protected", json!("false")));
    gitlab.refuses(
        AudienceMismatch,
        &job().with("aud", json!("https://vault.example.com")),
    );
    gitlab.refuses(
        IssuerUnknown,
        &job().with("iss", json!("https://gitlab.example.com")),
    );
    // GitLab Docs, "GitLab as OpenID Connect identity provider": the same issuer,
    // for an application.
    let person = Token::new(
        &RSA,
        json!({ "iss": "https://gitlab.com", "aud": "https://deploy.example.com", "sub": "1" }),
    );
    gitlab.refuses(ClaimMissing, &person);
}
