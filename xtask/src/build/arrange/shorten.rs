//! Leaves out instructions that need not be there: jumps (`jumps.rs`), and a
//! constant that is added to the address of a load and can be its offset.

use std::{collections::VecDeque, convert::Infallible};

use anyhow::Result;
use wasm_encoder::{
    CodeSection,
    reencode::{self, Reencode},
};
use wasmparser::{FunctionBody, Operator, Parser, ValidPayload, Validator};

use super::jumps;

/// The first bytes of memory are the last ones of the stack. So an address is
/// above them, and a smaller constant was added without overflow. An offset
/// never overflows: where the stack is used up, it is a trap.
const END_OF_STACK: u64 = 1024;

pub(super) struct Shorten {
    /// For each function that is not written yet, the height of the stack
    /// before each operator.
    heights: VecDeque<Vec<u32>>,
}

impl Shorten {
    pub(super) fn of(module: &[u8]) -> Result<Self> {
        let mut validator = Validator::new();
        let mut heights = VecDeque::new();
        for payload in Parser::new(0).parse_all(module) {
            if let ValidPayload::Func(function, body) = validator.payload(&payload?)? {
                let mut function = function.into_validator(Default::default());
                function.read_locals(&mut body.get_binary_reader())?;
                let mut before = Vec::new();
                for operator in body.get_operators_reader()?.into_iter_with_offsets() {
                    let (operator, offset) = operator?;
                    before.push(function.operand_stack_height());
                    function.op(offset, &operator)?;
                }
                heights.push_back(before);
            }
        }
        Ok(Self { heights })
    }
}

impl Reencode for Shorten {
    type Error = Infallible;

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), reencode::Error<Infallible>> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        let operators = body.get_operators_reader()?.into_iter();
        let operators: Vec<Operator<'_>> = operators.collect::<Result<_, _>>()?;
        let heights = self.heights.pop_front().unwrap_or_default();
        let operators = jumps::with_ifs(&operators, &heights);
        let operators = jumps::with_elses(operators);
        for operator in with_offsets(&jumps::to_the_end_left_out(&operators)) {
            function.instruction(&self.instruction(operator)?);
        }
        code.function(&function);
        Ok(())
    }
}

fn with_offsets<'a>(operators: &[Operator<'a>]) -> Vec<Operator<'a>> {
    let mut short = Vec::new();
    let mut rest = operators;
    while let [operator, after @ ..] = rest {
        let load = match rest {
            [Operator::I32Const { value }, Operator::I32Add, load, ..] => {
                let offset = u64::try_from(*value).ok();
                offset.and_then(|offset| with_offset(load, offset))
            }
            _ => None,
        };
        rest = if load.is_some() { &rest[3..] } else { after };
        short.push(load.unwrap_or_else(|| operator.clone()));
    }
    short
}

/// Returns the same load with a larger offset.
fn with_offset<'a>(load: &Operator<'a>, more: u64) -> Option<Operator<'a>> {
    let mut load = load.clone();
    let memarg = match &mut load {
        Operator::I32Load { memarg }
        | Operator::I64Load { memarg }
        | Operator::I32Load8U { memarg }
        | Operator::I32Load8S { memarg }
        | Operator::I32Load16U { memarg }
        | Operator::I64Load8U { memarg }
        | Operator::I64Load32U { memarg }
        | Operator::V128Load { memarg } => memarg,
        _ => return None,
    };
    memarg.offset += more;
    (memarg.offset < END_OF_STACK).then_some(load)
}
