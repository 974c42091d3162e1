//! Counting from many threads.

use super::Striped;

#[test]
fn what_many_threads_add_is_all_there() {
    let counters = Striped::<3>::new();
    std::thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    counters.add(0);
                    counters.add(2);
                    counters.add(3);
                }
            });
        }
    });
    assert_eq!(counters.sums(), [100_000, 0, 100_000]);
}
