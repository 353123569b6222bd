#ifndef HL_COMMON_VERSION_H
#define HL_COMMON_VERSION_H

/* Of all programs; formats have versions of their own. */
#define HOTLINE_VERSION "1.0"

#endif
