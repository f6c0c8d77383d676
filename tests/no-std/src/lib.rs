//! Proves that the verifier and its dependencies do not need std. This crate has
//! its own panic handler, so linking fails if a dependency adds that of std.
#![cfg_attr(target_arch = "wasm32", no_std)]

#[cfg(target_arch = "wasm32")]
mod proof {
    use core::alloc::{GlobalAlloc, Layout};

    struct Nothing;

    // SAFETY: it never returns memory.
    unsafe impl GlobalAlloc for Nothing {
        unsafe fn alloc(&self, _: Layout) -> *mut u8 {
            core::ptr::null_mut()
        }

        unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
    }

    #[global_allocator]
    static ALLOCATOR: Nothing = Nothing;

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        core::arch::wasm32::unreachable()
    }

    /// Uses the verifier, so that it is linked.
    #[unsafe(no_mangle)]
    extern "C" fn opens() -> bool {
        countersign::Gate::open(b"{}", 0).is_ok()
    }
}
