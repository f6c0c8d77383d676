//! Jumps that need not be there. The compiler writes all conditions as blocks
//! with jumps to their end.

use wasmparser::{BlockType, Operator};

/// A block whose first jump is over the rest of it becomes an `if`. `heights` are
/// those of the stack before each operator.
pub(super) fn with_ifs<'a>(operators: &[Operator<'a>], heights: &[u32]) -> Vec<Operator<'a>> {
    let mut short = Vec::new();
    let mut at = 0;
    while let Some(operator) = operators.get(at) {
        at += 1;
        let condition = operators[at..].iter().position(is_control).unwrap_or(0);
        let jump = at + condition;
        let blockty = BlockType::Empty;
        if *operator == (Operator::Block { blockty })
            && operators.get(jump) == Some(&Operator::BrIf { relative_depth: 0 })
            && heights.get(jump).copied() == heights.get(at).map(|height| height + 1)
        {
            short.extend_from_slice(&operators[at..jump]);
            negate(&mut short);
            short.push(Operator::If { blockty });
            at = jump + 1;
        } else {
            short.push(operator.clone());
        }
    }
    short
}

/// A block of an `if` that jumps over the rest, and of this rest, becomes an
/// `if` with an `else`.
pub(super) fn with_elses(operators: Vec<Operator<'_>>) -> Vec<Operator<'_>> {
    const BLOCKTY: BlockType = BlockType::Empty;
    let mut slots: Vec<Option<Operator<'_>>> = operators.into_iter().map(Some).collect();
    for block in 0..slots.len() {
        if slots[block] != Some(Operator::Block { blockty: BLOCKTY }) {
            continue;
        }
        let mut after = (block + 1..slots.len()).filter(|at| slots[*at].is_some());
        let Some(open) = after.find(|at| slots[*at].as_ref().is_some_and(is_control)) else {
            continue;
        };
        if slots[open] != Some(Operator::If { blockty: BLOCKTY }) {
            continue;
        }
        if let Some(Then { jump, end, moved }) = then(&slots, open) {
            for (at, operator) in moved {
                slots[at] = Some(operator);
            }
            (slots[block], slots[jump], slots[end]) = (None, None, Some(Operator::Else));
        }
    }
    slots.into_iter().flatten().collect()
}

/// What an `if` without an `else` does.
struct Then<'a> {
    /// Its last operator, a jump out of the block around it.
    jump: usize,
    end: usize,
    /// Its jumps farther out, as they are with one block fewer around them.
    moved: Vec<(usize, Operator<'a>)>,
}

/// `None` if it has another form, or jumps to its own end.
fn then<'a>(slots: &[Option<Operator<'a>>], open: usize) -> Option<Then<'a>> {
    use Operator::*;
    let mut depth = 0;
    let mut last = open;
    let mut moved = Vec::new();
    let inside = slots.iter().enumerate().skip(open + 1);
    for (at, operator) in inside.filter_map(|(at, slot)| Some((at, slot.as_ref()?))) {
        match operator {
            Block { .. } | Loop { .. } | If { .. } => depth += 1,
            End if depth == 0 => {
                moved.pop().filter(|(jump, _)| *jump == last)?;
                let is_over = slots[last] == Some(Br { relative_depth: 1 });
                let (jump, end) = (last, at);
                return is_over.then_some(Then { jump, end, moved });
            }
            End => depth -= 1,
            BrTable { .. } => return None,
            Else if depth == 0 => return None,
            Br { relative_depth } | BrIf { relative_depth } if *relative_depth == depth => {
                return None;
            }
            Br { relative_depth } if *relative_depth > depth => {
                let relative_depth = relative_depth - 1;
                moved.push((at, Br { relative_depth }));
            }
            BrIf { relative_depth } if *relative_depth > depth => {
                let relative_depth = relative_depth - 1;
                moved.push((at, BrIf { relative_depth }));
            }
            _ => {}
        }
        last = at;
    }
    None
}

fn is_control(operator: &Operator<'_>) -> bool {
    use Operator::*;
    matches!(
        operator,
        Block { .. }
            | Loop { .. }
            | If { .. }
            | Else
            | End
            | Br { .. }
            | BrIf { .. }
            | BrTable { .. }
            | Return
            | Unreachable
    )
}

/// Negates the condition that the last operator computes.
fn negate(operators: &mut Vec<Operator<'_>>) {
    use Operator::*;
    let negated = match operators.last() {
        Some(I32Eqz) => {
            operators.pop();
            return;
        }
        Some(I32Eq) => I32Ne,
        Some(I32Ne) => I32Eq,
        Some(I32LtS) => I32GeS,
        Some(I32GeS) => I32LtS,
        Some(I32LtU) => I32GeU,
        Some(I32GeU) => I32LtU,
        Some(I32GtS) => I32LeS,
        Some(I32LeS) => I32GtS,
        Some(I32GtU) => I32LeU,
        Some(I32LeU) => I32GtU,
        Some(I64Eq) => I64Ne,
        Some(I64Ne) => I64Eq,
        Some(I64LtU) => I64GeU,
        Some(I64GeU) => I64LtU,
        Some(I64GtU) => I64LeU,
        Some(I64LeU) => I64GtU,
        _ => {
            operators.push(I32Eqz);
            return;
        }
    };
    operators.pop();
    operators.push(negated);
}

/// Leaves out jumps to the next instruction.
pub(super) fn to_the_end_left_out<'a>(operators: &[Operator<'a>]) -> Vec<Operator<'a>> {
    // Of each open block, whether a jump to it is one to its end.
    let mut ends = Vec::new();
    let mut short = Vec::new();
    let mut next = operators.iter().skip(1);
    for operator in operators {
        let next = next.next();
        match operator {
            Operator::Block { blockty } | Operator::If { blockty } => {
                ends.push(*blockty == BlockType::Empty);
            }
            Operator::Loop { .. } => ends.push(false),
            Operator::Br { relative_depth: 0 }
                if next == Some(&Operator::End) && ends.last() == Some(&true) =>
            {
                continue;
            }
            Operator::End => {
                ends.pop();
            }
            _ => {}
        }
        short.push(operator.clone());
    }
    short
}
