#include "common/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define THREADS_MAX 32
#define SMALL 8 /* below this, starting threads costs more than it gains */

struct job {
    atomic_size_t next;
    size_t n;
    void (*fn)(void *arg, size_t i);
    void *arg;
};

static void *work(void *arg)
{
    struct job *job = arg;
    size_t i;

    while ((i = atomic_fetch_add(&job->next, 1)) < job->n)
        job->fn(job->arg, i);
    return NULL;
}

static unsigned spare_cores(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);

    return n > 3 ? (unsigned)n - 2 : 1;
}

void parallel_for(size_t n, void (*fn)(void *arg, size_t i), void *arg)
{
    parallel_run(n < SMALL ? 1 : spare_cores(), n, fn, arg);
}

void parallel_run(unsigned threads, size_t n, void (*fn)(void *arg, size_t i), void *arg)
{
    struct job job = { .n = n, .fn = fn, .arg = arg };
    pthread_t id[THREADS_MAX];
    unsigned started = 0;

    if (threads > THREADS_MAX)
        threads = THREADS_MAX;
    /* the caller works too; a thread that does not start only makes it slower */
    while (started + 1 < threads && pthread_create(&id[started], NULL, work, &job) == 0)
        started++;
    work(&job);
    while (started)
        pthread_join(id[--started], NULL);
}
