//! A client as its operator sees it.

use std::collections::HashSet;

use async_trait::async_trait;
use vexilla_domain::json::{read_flags, write_flag, write_flags};
use vexilla_domain::{
    Context, Explanation, FlagName, FlagSummary, Freshness, Needs, Operator, Readiness,
    SourceError, Stats, Strategy,
};

use crate::client::Client;
use crate::requests::Wish;

#[async_trait]
impl Operator for Client {
    fn stats(&self) -> Stats {
        self.stats()
    }

    fn readiness(&self) -> Readiness {
        self.readiness()
    }

    fn flags(&self) -> Vec<FlagSummary> {
        let published = self.shared().cell.load();
        let quarantined: HashSet<Box<str>> = published.quarantined().into_iter().collect();
        let summary = |flag: &vexilla_eval::CompiledFlag| {
            let head = flag.head();
            FlagSummary {
                id: head.id,
                key: head.key.clone(),
                enabled: flag.is_enabled(),
                snapshot_id: head.snapshot_id,
                tags: head.tags.clone(),
                strategy: if flag.needs().any_of(Needs::BUCKET) {
                    Strategy::Remote
                } else {
                    Strategy::Local
                },
                data_records_enabled: head.data_records_enabled,
                quarantined: quarantined.contains(&head.key),
            }
        };
        published.ruleset.flags().map(summary).collect()
    }

    fn definition(&self, key: &str) -> Option<Vec<u8>> {
        let published = self.shared().cell.load_full();
        let id = published.ruleset.find(key)?.head().id;
        let document = read_flags(published.export.as_deref()?).ok()?;
        let flag = document.flags.iter().find(|it| it.id == id)?;
        let written = write_flags([flag]);
        Some(written.strip_prefix(b"{\"Flags\":[")?.strip_suffix(b"]}")?.to_vec())
    }

    fn explain(&self, key: &str, context: &Context) -> Option<Explanation> {
        self.explain(key, context)
    }

    async fn load_definition(&self, key: &str) -> Option<Vec<u8>> {
        if !self.parts().is_paged() {
            return self.definition(key);
        }
        let published = self.shared().cell.load_full();
        let flag = published.ruleset.find(key)?;
        self.archived_definition(flag).await.map(|it| write_flag(&it).into_bytes())
    }

    async fn load_explanation(&self, key: &str, context: &Context) -> Option<Explanation> {
        let published = self.shared().cell.load_full();
        let flag = published.ruleset.find(key)?;
        let loaded = self.load_bodies(std::iter::once(flag)).await;
        Some(self.explain_flag(loaded.whole(flag), &published, context))
    }

    async fn refresh(&self) -> Result<Freshness, SourceError> {
        self.wished(Wish::Look).await
    }

    async fn reread(&self, flags: &[FlagName]) -> Result<Freshness, SourceError> {
        self.wished(Wish::Reread(flags.to_vec())).await
    }

    async fn reread_all(&self) -> Result<Freshness, SourceError> {
        self.wished(Wish::RereadAll).await
    }

    fn notify(&self, flags: &[FlagName]) {
        self.shared().notes.leave(flags);
    }

    async fn source_health(&self) -> Result<(), SourceError> {
        self.parts().source.health().await
    }
}

impl Client {
    async fn wished(&self, wish: Wish) -> Result<Freshness, SourceError> {
        self.wish(wish).await?;
        Ok(self.shared().cell.load().freshness())
    }
}
