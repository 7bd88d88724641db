//! Numbers drawn from the seed: the same question always gets the same answer.

/// What a draw is for, so that two questions about one page are independent.
#[derive(Clone, Copy)]
pub(super) enum Draw {
    Vocabulary = 1,
    Fate,
    Page,
    PrivatePage,
    Trap,
    Title,
}

/// A stream of numbers (splitmix64, Steele et al. 2014: one add and one mix a number).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64, host: u32, number: u32, draw: Draw) -> Self {
        let key = (u64::from(host) << 32) | u64::from(number);
        Self(mix(key ^ mix(seed.wrapping_add((draw as u64) << 56))))
    }

    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound`, or 0 where nothing is below it.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        (((self.roll() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// A number from 0 up to 1.
    pub(super) fn share(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True once in `times`.
    pub(super) fn once_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u32) as usize]
    }
}

fn mix(mut number: u64) -> u64 {
    number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}
