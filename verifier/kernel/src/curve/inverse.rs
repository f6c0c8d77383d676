//! Modular inverse by Bernstein and Yang's division steps ("Fast
//! constant-time gcd computation and modular inversion", 2019), in variable
//! time.
//!
//! A division step shortens the pair `(f, g)`, `f` odd, by one bit and keeps
//! its gcd. Which steps are taken depends on the low bits only: 28 of
//! them are run on single words and gathered in a matrix of small numbers,
//! which is then applied to the long numbers; the result is divided by `2^28` without
//! remainder. The same matrices applied modulo the modulus to `(d, e) = (0, 1)` keep `d * x = f` and `e * x = g`; when `g`
//! reaches 0, `f` is 1 or -1 and `d` is the inverse or its negative.
//!
//! Bounds: the matrix of 28 steps has rows with absolute sum at most `2^28`,
//! so with limbs below `2^28` a column sum stays below `2^58`; `d` and `e`
//! stay within `(-2m, m)`, for which the last limb must have room. The same
//! code serves all moduli, whatever their number of limbs.

use super::limbs;
use super::wide::{BITS, LIMBS_MAX, Limbs, MASK};
use super::word::Limb;

const ONE: Limbs = limbs::one();

/// `1 / x mod m`, for odd `m` of `n` limbs and `0 <= x < m`; 0 for 0.
pub(super) fn invert(x: &Limbs, m: &Limbs, n: usize) -> Limbs {
    debug_assert!((1..=LIMBS_MAX).contains(&n) && limbs::less::<LIMBS_MAX, BITS>(x, m));
    let (d, sign) = invert_signed(x, m, n);
    let mut inverse = limbs::add_multiple::<LIMBS_MAX, BITS>(&[0; LIMBS_MAX], &d, sign);
    while inverse[LIMBS_MAX - 1] < 0 {
        inverse = limbs::add_multiple::<LIMBS_MAX, BITS>(&inverse, m, 1);
    }
    while !limbs::less::<LIMBS_MAX, BITS>(&inverse, m) {
        inverse = limbs::add_multiple::<LIMBS_MAX, BITS>(&inverse, m, -1);
    }
    inverse
}

/// The same for a number in other limbs.
#[inline(always)]
pub(super) fn invert_limbs<const N: usize, const B: u32>(
    x: &[i32; N],
    m: &Limbs,
    n: usize,
) -> [i32; N] {
    let x = limbs::from_words::<LIMBS_MAX, BITS>(&limbs::to_words::<N, B>(x));
    let inverse = invert(&x, m, n);
    limbs::from_words::<N, B>(&limbs::to_words::<LIMBS_MAX, BITS>(&inverse))
}

/// A number in `(-2m, 2m)` whose product with the sign is the inverse.
fn invert_signed(x: &Limbs, m: &Limbs, n: usize) -> (Limbs, i64) {
    let m_inverse = limbs::inverse_of_odd(m[0]) as i64 & MASK;
    let (mut f, mut g) = (*m, *x);
    let (mut d, mut e) = ([0; LIMBS_MAX], ONE);
    let mut eta = -1;
    let mut len = n.min(LIMBS_MAX);
    while g.iter().any(|&limb| limb != 0) {
        let steps;
        (eta, steps) = divide(eta, low_bits(&f), low_bits(&g));
        steps.apply_modulo(&mut d, &mut e, m, m_inverse, n);
        steps.apply(&mut f, &mut g, len);
        len = shorten(&mut f, &mut g, len);
    }
    let sign = if f[len - 1] < 0 { -1 } else { 1 };
    debug_assert!(
        *x == [0; LIMBS_MAX]
            || limbs::add_multiple::<LIMBS_MAX, BITS>(&[0; LIMBS_MAX], &f, sign) == ONE,
        "the number and the modulus have a common divisor"
    );
    (d, sign)
}

/// What 28 division steps do, times `2^28`: `f' = u f + v g`, `g' = q f + r g`.
struct Steps {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

fn low_bits(x: &Limbs) -> i32 {
    x[0] | (x[1] << BITS)
}

/// Runs 28 division steps on the low words of `f` and `g`, several at a time:
/// zero bits of `g` are shifted out at once, and while `eta` allows it a
/// multiple of `f` clears up to six bits of `g`.
fn divide(mut eta: i32, mut f: i32, mut g: i32) -> (i32, Steps) {
    let (mut u, mut v, mut q, mut r) = (1i32, 0i32, 0i32, 1i32);
    let mut left = BITS;
    loop {
        let zeros = g.trailing_zeros().min(left);
        g = g.wrapping_shr(zeros);
        u = u.wrapping_shl(zeros);
        v = v.wrapping_shl(zeros);
        eta -= zeros as i32;
        left -= zeros;
        if left == 0 {
            break;
        }
        if eta < 0 {
            eta = -eta;
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, -u);
            (v, r) = (r, -v);
        }
        // -1/f is f (f f - 2) modulo 64, because f f = 1 modulo 8.
        let clear = ((eta + 1) as u32).min(left).min(6);
        let minus_inverse = f.wrapping_mul(f.wrapping_mul(f).wrapping_sub(2));
        let w = g.wrapping_mul(minus_inverse) & ((1 << clear) - 1);
        g = g.wrapping_add(f.wrapping_mul(w));
        q = q.wrapping_add(u.wrapping_mul(w));
        r = r.wrapping_add(v.wrapping_mul(w));
    }
    let steps = Steps {
        u: u.into(),
        v: v.into(),
        q: q.into(),
        r: r.into(),
    };
    (eta, steps)
}

impl Steps {
    /// `(f, g)` after the steps; the division by `2^28` leaves no remainder.
    fn apply(&self, f: &mut Limbs, g: &mut Limbs, len: usize) {
        self.combine(f, g, len, |_| (0, 0));
    }

    /// `(d, e)` after the steps, modulo `m`: the multiples of `m` that make the
    /// division exact are chosen so that both stay within `(-2m, m)`.
    fn apply_modulo(&self, d: &mut Limbs, e: &mut Limbs, m: &Limbs, m_inverse: i64, n: usize) {
        let n = n.min(LIMBS_MAX);
        let (d_sign, e_sign) = ((d[n - 1] >> 31) as i64, (e[n - 1] >> 31) as i64);
        let mut md = (self.u & d_sign) + (self.v & e_sign);
        let mut me = (self.q & d_sign) + (self.r & e_sign);
        let (d0, e0) = (d[0] as i64, e[0] as i64);
        md -= (m_inverse * ((self.u * d0 + self.v * e0) & MASK) + md) & MASK;
        me -= (m_inverse * ((self.q * d0 + self.r * e0) & MASK) + me) & MASK;
        self.combine(d, e, n, |i| (m[i] as i64 * md, m[i] as i64 * me));
    }

    /// `u a + v b` and `q a + r b`, with what is to be added in each limb, over `2^28`.
    #[inline(always)]
    fn combine(
        &self,
        a: &mut Limbs,
        b: &mut Limbs,
        len: usize,
        addend: impl Fn(usize) -> (i64, i64),
    ) {
        let len = len.min(LIMBS_MAX);
        let (mut carry_a, mut carry_b) = (0, 0);
        for i in 0..len {
            let (limb_a, limb_b) = (a[i] as i64, b[i] as i64);
            let (addend_a, addend_b) = addend(i);
            carry_a += self.u * limb_a + self.v * limb_b + addend_a;
            carry_b += self.q * limb_a + self.r * limb_b + addend_b;
            if i > 0 {
                a[i - 1] = (carry_a & MASK) as i32;
                b[i - 1] = (carry_b & MASK) as i32;
            } else {
                debug_assert!(carry_a & MASK == 0 && carry_b & MASK == 0, "a remainder");
            }
            carry_a >>= BITS;
            carry_b >>= BITS;
        }
        a[len - 1] = i32::narrow(carry_a);
        b[len - 1] = i32::narrow(carry_b);
    }
}

/// Drops the last limb of both while it only repeats their signs.
fn shorten(f: &mut Limbs, g: &mut Limbs, len: usize) -> usize {
    if !(2..=LIMBS_MAX).contains(&len) {
        return len;
    }
    let (top_f, top_g) = (f[len - 1], g[len - 1]);
    if (top_f != 0 && top_f != -1) || (top_g != 0 && top_g != -1) {
        return len;
    }
    f[len - 2] |= top_f << BITS;
    g[len - 2] |= top_g << BITS;
    f[len - 1] = 0;
    g[len - 1] = 0;
    len - 1
}
