//! The numbers of locals: of each type, the most used one is the first. Equal
//! numbers in more places make longer runs of equal bytes.

use std::{cmp::Reverse, convert::Infallible};

use anyhow::Result;
use wasm_encoder::{
    CodeSection, Function, Instruction,
    reencode::{self, Reencode},
};
use wasmparser::{FunctionBody, Operator, Parser, Payload, ValType};

type Encoded<T> = Result<T, reencode::Error<Infallible>>;

pub(super) struct Locals {
    /// The number of parameters of each function that is not written yet, in
    /// reverse. Parameters are the first locals and keep their numbers.
    parameters: Vec<usize>,
    /// The new number of each local of the current function.
    numbers: Vec<u32>,
}

impl Locals {
    pub(super) fn of(module: &[u8]) -> Result<Self> {
        let mut types = Vec::new();
        let mut parameters = Vec::new();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(section) => {
                    for ty in section.into_iter_err_on_gc_types() {
                        types.push(ty?.params().len());
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        parameters.push(types[ty? as usize]);
                    }
                }
                _ => {}
            }
        }
        parameters.reverse();
        Ok(Self {
            parameters,
            numbers: Vec::new(),
        })
    }
}

impl Reencode for Locals {
    type Error = Infallible;

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Encoded<()> {
        let parameters = self.parameters.pop().unwrap_or(0);
        let mut types = Vec::new();
        for run in body.get_locals_reader()? {
            let (count, ty) = run?;
            types.extend((0..count).map(|_| ty));
        }
        let uses = uses(&body, parameters + types.len())?;
        let kinds: Vec<ValType> = [ValType::I32, ValType::I64, ValType::V128].into();
        let kind = |local: usize| kinds.iter().position(|ty| *ty == types[local - parameters]);
        let mut order: Vec<usize> = (parameters..uses.len()).collect();
        order.sort_by_key(|local| (kind(*local), Reverse(uses[*local])));

        self.numbers = (0..).take(uses.len()).collect();
        for (number, local) in (parameters as u32..).zip(&order) {
            self.numbers[*local] = number;
        }
        let mut declared = Vec::new();
        for local in order {
            declared.push(self.val_type(types[local - parameters])?);
        }
        let mut function = Function::new_with_locals_types(declared);
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            function.instruction(&self.parse_instruction(&mut operators)?);
        }
        code.function(&function);
        Ok(())
    }

    fn instruction<'a>(&mut self, operator: Operator<'a>) -> Encoded<Instruction<'a>> {
        Ok(match operator {
            Operator::LocalGet { local_index } => Instruction::LocalGet(self.number(local_index)),
            Operator::LocalSet { local_index } => Instruction::LocalSet(self.number(local_index)),
            Operator::LocalTee { local_index } => Instruction::LocalTee(self.number(local_index)),
            other => reencode::utils::instruction(self, other)?,
        })
    }
}

impl Locals {
    fn number(&self, local: u32) -> u32 {
        self.numbers[local as usize]
    }
}

/// Returns how often each local is named.
fn uses(body: &FunctionBody<'_>, locals: usize) -> Encoded<Vec<usize>> {
    let mut uses = vec![0; locals];
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        if let Operator::LocalGet { local_index }
        | Operator::LocalSet { local_index }
        | Operator::LocalTee { local_index } = operators.read()?
        {
            uses[local_index as usize] += 1;
        }
    }
    Ok(uses)
}
