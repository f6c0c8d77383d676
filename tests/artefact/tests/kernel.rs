//! What the compilers made of the kernel's inner loops. Some of its code is written so that
//! they make fast code of it, and gives the same numbers however they compile it: a new
//! compiler or an edit that undoes it would be noticed only by a benchmark. The numbers are
//! those of the source, said there and in `verifier/kernel/README.md`.

use countersign_artefact_tests::dist;
use wasmparser::{Operator, Parser, Payload};

/// The columns of RSA: `rsa/columns.rs` with all of `rsa/tile.rs` inlined. In a function that
/// does not enable SIMD every intrinsic would be a call.
#[test]
fn the_columns_of_rsa_are_one_function_without_calls() {
    let file = dist::read("countersign.wasm");
    let columns = columns(&file);
    assert!(
        dots(&columns) > 100,
        "{} products of vectors",
        dots(&columns)
    );
    assert_eq!(count(&columns, is_call), 0);
    let elsewhere = functions(&file)
        .map(|function| dots(&function))
        .sum::<usize>();
    let known = dots(&columns) + BASE64URL_DOTS;
    assert_eq!(elsewhere, known, "products of vectors in other functions");
}

/// A round of the inner loop takes eight rows through two tiles: 32 products of vectors. The rows
/// are four pairs, which both tiles use; each half of them meets nine vectors, of which one
/// is used by both tiles. Were the address not hidden in a `u16`, LLVM would compute each
/// load's address by an addition; here the offsets are in the loads.
#[test]
fn the_inner_loop_of_rsa_loads_each_vector_once_and_adds_no_addresses() {
    let file = dist::read("countersign.wasm");
    let inner = inner_loop(&columns(&file));
    let count = |wanted| count(&inner, wanted);
    assert_eq!(count(|one| matches!(one, Operator::V128Load { .. })), 18);
    let pairs = count(|one| matches!(one, Operator::V128Load32Splat { .. }));
    assert_eq!(pairs, 4);
    let stores = count(|one| matches!(one, Operator::V128Store { .. }));
    assert_eq!(stores, 0, "a sum left its local");
    let additions = count(|one| matches!(one, Operator::I32Add | Operator::I32Sub));
    assert!(additions <= 8, "{additions} additions of addresses");
}

/// V8 loads all of a block before it computes, and then has too few registers: a branch after
/// every eight products, for a value that never comes (`NEVER`), ends the block.
#[test]
fn a_branch_follows_every_eight_products_of_the_inner_loop() {
    let file = dist::read("countersign.wasm");
    let inner = inner_loop(&columns(&file));
    let runs: Vec<usize> = inner
        .split(is_branch)
        .map(dots)
        .filter(|run| *run > 0)
        .collect();
    assert_eq!(runs, [8; 4]);
}

fn is_branch(one: &Operator<'_>) -> bool {
    matches!(
        one,
        Operator::If { .. } | Operator::BrIf { .. } | Operator::BrTable { .. }
    )
}

/// The products of nine limbs, for P-256 and Ed25519: `K` is a constant in each column, so there
/// is no loop, and a square takes 45 multiplications instead of 81. Ed25519 has nine more, which
/// fold the upper half; so has `m * c`, and two products at once have twice as many.
#[test]
fn products_of_nine_limbs_are_straight_code() {
    let mut products: Vec<usize> = functions(&dist::read("countersign.wasm"))
        .filter(|function| !function.iter().any(|one| is_call(one) || is_loop(one)))
        .map(|function| count(&function, is_product))
        .filter(|products| *products >= 45)
        .collect();
    products.sort_unstable();
    assert_eq!(products, [45, 54, 54, 81, 90, 90, 162]);
}

/// Modulo any odd number (P-384, P-521, the orders): for the lengths of 14 and 19 limbs the inner
/// loop, two multiplications for each limb but the first, is unrolled.
#[test]
fn products_of_14_and_19_limbs_have_no_inner_loop() {
    let file = dist::read("countersign.wasm");
    let with_loop = functions(&file).filter(|function| function.iter().any(is_loop));
    let most = with_loop.map(|function| count(&function, is_product)).max();
    assert!(most >= Some(2 * 13 + 2 * 18), "{most:?} multiplications");
}

/// The one product of vectors outside RSA, which joins the sextets of base64url.
const BASE64URL_DOTS: usize = 1;

fn columns(file: &[u8]) -> Vec<Operator<'_>> {
    functions(file)
        .max_by_key(|function| dots(function))
        .unwrap()
}

/// The loop without a loop in it that has the most products.
fn inner_loop<'a>(function: &[Operator<'a>]) -> Vec<Operator<'a>> {
    let starts = (0..function.len()).filter(|at| is_loop(&function[*at]));
    let loops = starts.map(|start| {
        let mut depth = 0;
        let length = function[start..].iter().position(|one| {
            match one {
                Operator::Loop { .. } | Operator::Block { .. } | Operator::If { .. } => depth += 1,
                Operator::End => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        &function[start..start + length.unwrap()]
    });
    loops
        .filter(|one| !one[1..].iter().any(is_loop))
        .max_by_key(|one| dots(one))
        .unwrap()
        .to_vec()
}

fn functions(file: &[u8]) -> impl Iterator<Item = Vec<Operator<'_>>> {
    let bodies = Parser::new(0)
        .parse_all(file)
        .filter_map(|payload| match payload.unwrap() {
            Payload::CodeSectionEntry(body) => Some(body),
            _ => None,
        });
    bodies.map(|body| {
        let operators = body.get_operators_reader().unwrap().into_iter();
        operators.map(Result::unwrap).collect()
    })
}

fn count(operators: &[Operator], wanted: fn(&Operator) -> bool) -> usize {
    operators.iter().filter(|one| wanted(one)).count()
}

fn dots(operators: &[Operator]) -> usize {
    count(operators, |one| matches!(one, Operator::I32x4DotI16x8S))
}

fn is_product(one: &Operator) -> bool {
    matches!(one, Operator::I64Mul)
}

fn is_loop(one: &Operator) -> bool {
    matches!(one, Operator::Loop { .. })
}

fn is_call(one: &Operator) -> bool {
    matches!(one, Operator::Call { .. } | Operator::CallIndirect { .. })
}
