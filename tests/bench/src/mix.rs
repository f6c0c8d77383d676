//! A mix of clients, as a busy service has it: a few clients send many
//! requests, and many clients send a few.

/// The number of clients.
const CLIENTS: usize = 1000;
/// The number of requests with a token before its client gets a new one.
const USES: usize = 10;

/// Requests in order. Each is the number of its token.
pub(crate) struct Mix {
    /// The number of distinct tokens.
    pub(crate) tokens: usize,
    pub(crate) order: Vec<usize>,
}

impl Mix {
    /// Chooses the client of each request by Zipf's law: the n-th client sends
    /// 1/n as many requests as the first. The result is always the same.
    pub(crate) fn new(requests: usize) -> Self {
        let mut reach = Vec::with_capacity(CLIENTS);
        let mut total = 0.0;
        for rank in 1..=CLIENTS {
            total += 1.0 / rank as f64;
            reach.push(total);
        }
        let mut random = Random(1);
        let mut mix = Self {
            tokens: 0,
            order: Vec::with_capacity(requests),
        };
        // For each client: its token, and the number of uses that are left.
        let mut held = vec![(0, 0); CLIENTS];
        for _ in 0..requests {
            let drawn = random.below_one() * total;
            let client = reach
                .partition_point(|reach| *reach <= drawn)
                .min(CLIENTS - 1);
            let (token, left) = &mut held[client];
            if *left == 0 {
                (*token, *left) = (mix.tokens, USES);
                mix.tokens += 1;
            }
            *left -= 1;
            mix.order.push(*token);
        }
        mix
    }
}

/// SplitMix64, which gives the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below_one(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_is_used_more_often_than_its_client_keeps_it() {
        let mix = Mix::new(20_000);
        let mut uses = vec![0; mix.tokens];
        mix.order.iter().for_each(|token| uses[*token] += 1);
        assert_eq!(uses.iter().max(), Some(&USES));
        assert_eq!(uses.iter().min(), Some(&1));
    }

    #[test]
    fn a_tenth_of_the_requests_and_little_more_bring_a_new_token() {
        let mix = Mix::new(20_000);
        assert!((2_000..3_000).contains(&mix.tokens), "{}", mix.tokens);
    }
}
