//! A `clock_gettime` that reads a file. `clock.rs` compiles it.
#![no_std]

use core::{
    ffi::{c_char, c_int, c_long, c_void},
    panic::PanicInfo,
    ptr::{null, null_mut},
    sync::atomic::{AtomicPtr, AtomicU64, Ordering},
};

#[repr(C)]
pub struct Timespec {
    seconds: i64,
    nanoseconds: c_long,
}

#[link(name = "c")]
unsafe extern "C" {
    fn getenv(name: *const c_char) -> *const c_char;
    fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    fn mmap(
        at: *mut c_void,
        size: usize,
        access: c_int,
        flags: c_int,
        file: c_int,
        from: i64,
    ) -> *mut c_void;
    fn syscall(number: c_long, ...) -> c_long;
    fn abort() -> !;
}

#[cfg(target_arch = "x86_64")]
const CLOCK_GETTIME: c_long = 228;
#[cfg(target_arch = "aarch64")]
const CLOCK_GETTIME: c_long = 113;
const REALTIME: c_int = 0;
const REALTIME_COARSE: c_int = 5;

static NOW_MS: AtomicPtr<AtomicU64> = AtomicPtr::new(null_mut());

/// # Safety
/// As in POSIX: `time` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: c_int, time: *mut Timespec) -> c_int {
    if clock != REALTIME && clock != REALTIME_COARSE {
        return unsafe { syscall(CLOCK_GETTIME, clock, time) as c_int };
    }
    let now_ms = unsafe { now_ms() };
    let seconds = (now_ms / 1000) as i64;
    let nanoseconds = (now_ms % 1000 * 1_000_000) as c_long;
    unsafe {
        time.write(Timespec {
            seconds,
            nanoseconds,
        })
    };
    0
}

unsafe fn now_ms() -> u64 {
    let mut mapped = NOW_MS.load(Ordering::Acquire);
    if mapped.is_null() {
        // The file has eight bytes and stays mapped.
        mapped = unsafe {
            let path = getenv(c"COUNTERSIGN_TEST_CLOCK".as_ptr());
            if path == null() {
                abort();
            }
            mmap(null_mut(), 8, 1, 1, open(path, 0), 0).cast()
        };
        NOW_MS.store(mapped, Ordering::Release);
    }
    unsafe { (*mapped).load(Ordering::Relaxed) }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    unsafe { abort() }
}
