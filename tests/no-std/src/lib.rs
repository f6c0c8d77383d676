//! Proof that the verifier and all it depends on need no std: this crate has
//! a panic handler of its own, and a second one, std's, would not link.
#![cfg_attr(target_arch = "wasm32", no_std)]

#[cfg(target_arch = "wasm32")]
mod proof {
    use core::alloc::{GlobalAlloc, Layout};

    struct Nothing;

    // SAFETY: it gives no memory at all.
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

    /// Something of the verifier, so that it is linked.
    #[unsafe(no_mangle)]
    extern "C" fn opens() -> bool {
        countersign::Gate::open(b"{}", 0).is_ok()
    }
}
