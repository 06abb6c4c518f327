/* Exactly once: which rows of a log that is read again are stored already. */
#include "collector/resume.h"

void resume_start(struct resume *r)
{
    for (int i = 0; i < RESUME_STREAMS; i++) {
        r->streams[i].skipping = r->streams[i].at_ns > 0;
        r->streams[i].seen_at = 0;
    }
}

int64_t resume_since(const struct resume *r)
{
    int64_t latest = r->streams[0].at_ns > r->streams[1].at_ns ? r->streams[0].at_ns : r->streams[1].at_ns;
    int64_t since = latest > RESUME_OVERLAP_NS ? latest - RESUME_OVERLAP_NS : 0;
    return r->open_ns > 0 && r->open_ns < since ? r->open_ns : since;
}

bool resume_take(struct resume *r, int stream, int64_t at_ns)
{
    struct resume_stream *s = &r->streams[stream - 1];
    if (s->skipping) {
        if (at_ns < s->at_ns)
            return false;
        if (at_ns == s->at_ns && ++s->seen_at <= s->rows_at)
            return false;
        s->skipping = false;
    }
    if (at_ns == s->at_ns) {
        s->rows_at++;
    } else {
        s->at_ns = at_ns;
        s->rows_at = 1;
    }
    return true;
}
