//! The order of functions, of equal ones only one. The most called ones are first, as small numbers
//! take one byte in each call. In both parts, the next function is always the
//! one that is most like those before it, so that compression finds it there.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, VecDeque},
    convert::Infallible,
};

use anyhow::Result;
use wasm_encoder::{
    CodeSection, FunctionSection,
    reencode::{self, Reencode},
};
use wasmparser::{CodeSectionReader, FunctionSectionReader, Operator, Parser, Payload, TypeRef};

/// Numbers below this take one byte.
const SHORT: usize = 128;
/// Functions are alike if they have runs of this many bytes in common.
const RUN: usize = 6;
/// How many bytes before a function count. Compression reads twice as many, but
/// finds less of what is far away worth its distance.
const WINDOW: usize = 16 * 1024;

type Encoded<T> = Result<T, reencode::Error<Infallible>>;

pub(super) struct Order {
    imported: usize,
    /// The old places of the functions that stay, without those that are
    /// imported.
    order: Vec<usize>,
    /// The new place of each old one.
    places: Vec<u32>,
}

impl Order {
    pub(super) fn of(module: &[u8]) -> Result<Self> {
        let mut imported = 0;
        let mut calls: BTreeMap<usize, usize> = BTreeMap::new();
        let mut types = Vec::new();
        let mut bodies = Vec::new();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        imported += usize::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::FunctionSection(section) => {
                    types = section.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::CodeSectionEntry(body) => {
                    bodies.push(body.as_bytes());
                    let mut operators = body.get_operators_reader()?;
                    while !operators.eof() {
                        if let Operator::Call { function_index } = operators.read()? {
                            *calls.entry(function_index as usize).or_default() += 1;
                        }
                    }
                }
                _ => {}
            }
        }
        // Equal functions are one.
        let mut first: BTreeMap<(u32, &[u8]), usize> = BTreeMap::new();
        let functions = types.into_iter().zip(bodies.iter().copied()).enumerate();
        let same: Vec<usize> = functions
            .map(|(function, content)| *first.entry(content).or_insert(function))
            .collect();
        let called = |function: &usize| calls.get(&(imported + function)).copied().unwrap_or(0);
        let mut functions: Vec<usize> = first.into_values().collect();
        functions.sort_by_key(|function| (Reverse(called(function)), *function));
        let others = functions.split_off(SHORT.saturating_sub(imported).min(functions.len()));
        let order = [functions, others].map(|part| by_likeness(&bodies, part));
        let order = order.concat();

        let mut places = vec![0; bodies.len()];
        for (place, function) in (0..).zip(&order) {
            places[*function] = place;
        }
        let places = same.into_iter().map(|function| places[function]).collect();
        Ok(Self {
            imported,
            order,
            places,
        })
    }
}

/// Puts the largest function first, and then always that one of whose runs the
/// greatest part is in the window.
fn by_likeness(bodies: &[&[u8]], functions: Vec<usize>) -> Vec<usize> {
    let mut runs: Vec<BTreeSet<&[u8]>> = bodies.iter().map(|b| b.windows(RUN).collect()).collect();
    let mut having: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    for function in &functions {
        for run in &runs[*function] {
            having.entry(run).or_default().push(*function);
        }
    }
    // A run of one function alone makes it like no other one.
    for runs in &mut runs {
        runs.retain(|run| having.get(run).is_some_and(|functions| functions.len() > 1));
    }
    let mut left: BTreeSet<usize> = functions.into_iter().collect();
    let mut order = Vec::new();
    let mut window: VecDeque<usize> = VecDeque::new();
    let mut in_window: BTreeMap<&[u8], usize> = BTreeMap::new();
    let mut found = vec![0_u64; bodies.len()];
    let mut next = left.iter().copied().max_by_key(|f| bodies[*f].len());
    while let Some(function) = next {
        left.remove(&function);
        order.push(function);
        window.push_back(function);
        for run in &runs[function] {
            let count = in_window.entry(run).or_default();
            *count += 1;
            if *count == 1 {
                having[run].iter().for_each(|f| found[*f] += 1);
            }
        }
        while window.iter().map(|f| bodies[*f].len()).sum::<usize>() > WINDOW && window.len() > 1 {
            for run in window.pop_front().iter().flat_map(|f| &runs[*f]) {
                let count = in_window.entry(run).or_default();
                *count -= 1;
                if *count == 0 {
                    having[run].iter().for_each(|f| found[*f] -= 1);
                }
            }
        }
        // A little more than all of its runs, so that the smallest functions do not win by
        // one run. In thousandths of thousandths: floats may round in another way elsewhere.
        let part = |f: &usize| found[*f] * 1_000_000 / (runs[*f].len() as u64 + 20);
        next = left.iter().copied().max_by_key(|f| (part(f), Reverse(*f)));
    }
    order
}

impl Reencode for Order {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Encoded<u32> {
        let local = (function as usize).checked_sub(self.imported);
        Ok(local.map_or(function, |local| self.imported as u32 + self.places[local]))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Encoded<()> {
        let types: Vec<u32> = section.into_iter().collect::<Result<_, _>>()?;
        for function in &self.order {
            functions.function(types[*function]);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Encoded<()> {
        let bodies: Vec<_> = section.into_iter().collect::<Result<_, _>>()?;
        for function in self.order.clone() {
            self.parse_function_body(code, bodies[function].clone())?;
        }
        Ok(())
    }
}
