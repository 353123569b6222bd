#include <stdio.h>

#include "common/clock.h"
#include "common/error.h"
#include "common/text.h"

/* Proleptic Gregorian, UTC, no leap seconds, and no tables of the system. */
struct civil {
    unsigned long year;
    unsigned month, day, hour, minute, second, ms;
};

/* Days since 1970 to a date: years begin in March, so that the leap day is the last one. */
static struct civil civil_of(uint64_t ms)
{
    uint64_t z = clock_day(ms) + 719468, era = z / 146097, rest = ms % CLOCK_DAY_MS;
    unsigned doe = (unsigned)(z % 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned m = (5 * doy + 2) / 153;
    struct civil c = {
        .month = m < 10 ? m + 3 : m - 9,
        .day = doy - (153 * m + 2) / 5 + 1,
        .hour = (unsigned)(rest / 3600000),
        .minute = (unsigned)(rest / 60000 % 60),
        .second = (unsigned)(rest / 1000 % 60),
        .ms = (unsigned)(rest % 1000),
    };

    c.year = (unsigned long)(yoe + era * 400 + (c.month <= 2));
    return c;
}

static uint64_t day_of(unsigned year, unsigned month, unsigned day)
{
    unsigned y = month <= 2 ? year - 1 : year;
    unsigned m = month > 2 ? month - 3 : month + 9;
    unsigned yoe = y % 400, doy = (153 * m + 2) / 5 + day - 1;

    return (uint64_t)(y / 400) * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void text_time(char out[static TEXT_TIME_SIZE], uint64_t ms)
{
    struct civil c = civil_of(ms);

    snprintf(out, TEXT_TIME_SIZE, "%04lu-%02u-%02uT%02u:%02u:%02uZ", c.year, c.month, c.day, c.hour,
             c.minute, c.second);
}

void text_time_ms(char out[static TEXT_TIME_SIZE], uint64_t ms)
{
    struct civil c = civil_of(ms);

    snprintf(out, TEXT_TIME_SIZE, "%04lu-%02u-%02uT%02u:%02u:%02u.%03uZ", c.year, c.month, c.day,
             c.hour, c.minute, c.second, c.ms);
}

void text_dtg(char out[static TEXT_TIME_SIZE], uint64_t ms)
{
    static const char month[12][4] = { "JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                       "JUL", "AUG", "SEP", "OCT", "NOV", "DEC" };
    struct civil c = civil_of(ms);

    snprintf(out, TEXT_TIME_SIZE, "%02u %02u%02uZ %s %02lu", c.day, c.hour, c.minute,
             month[c.month - 1], c.year % 100);
}

/* @in must look like @shape: '0' is a digit, anything else itself.  *v takes the digits between. */
static bool shaped(struct span in, const char *shape, unsigned v[static 6])
{
    size_t k = 0;

    if (in.n != span_str(shape).n)
        return false;
    for (size_t i = 0; i < in.n; i++) {
        if (shape[i] == '0' && in.p[i] >= '0' && in.p[i] <= '9')
            v[k] = v[k] * 10 + (unsigned)(in.p[i] - '0');
        else if (shape[i] != '0' && shape[i] == (char)in.p[i])
            k++;
        else
            return false;
    }
    return true;
}

int text_untime(uint64_t *ms, struct span in)
{
    static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    unsigned v[7] = { 0 };
    bool leap;

    if (!shaped(in, in.n == 10 ? "0000-00-00" : "0000-00-00T00:00:00Z", v))
        return -HL_EFORMAT;
    leap = (v[0] % 4 == 0 && v[0] % 100 != 0) || v[0] % 400 == 0;
    if (v[0] < 1970 || v[1] < 1 || v[1] > 12 || v[2] < 1 ||
        v[2] > days[v[1] - 1] + (unsigned)(leap && v[1] == 2))
        return -HL_EFORMAT;
    if (v[3] > 23 || v[4] > 59 || v[5] > 59)
        return -HL_EFORMAT;
    *ms =
        day_of(v[0], v[1], v[2]) * CLOCK_DAY_MS + (uint64_t)(v[3] * 3600 + v[4] * 60 + v[5]) * 1000;
    return 0;
}
