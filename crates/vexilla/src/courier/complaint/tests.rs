//! What `complaint` promises.

use super::*;

#[tokio::test(start_paused = true)]
async fn it_is_said_at_once_and_then_once_a_minute() {
    let start = Instant::now();
    let mut complaint = Complaint::default();
    assert_eq!((complaint.due(start), complaint.said(start)), (None, None));

    complaint.add(2, "full");
    assert_eq!(complaint.due(start), Some(start));
    assert_eq!(complaint.said(start), Some((2, "full".into())));
    for second in 1..60 {
        let now = start + Duration::from_secs(second);
        complaint.add(10, "full again");
        assert_eq!((complaint.due(now), complaint.said(now)), (Some(start + QUIET), None));
    }
    assert_eq!(complaint.said(start + QUIET), Some((590, "full again".into())));
    assert_eq!(complaint.due(start + QUIET), None, "nothing is left to be said");
    complaint.add(1, "the end");
    assert_eq!(complaint.said(start + QUIET), None);
    assert_eq!(complaint.last_word(), Some((1, "the end".into())));
    assert_eq!(complaint.last_word(), None);
}
