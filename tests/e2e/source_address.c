/*
 * Preloaded into an endpoint that binds to all addresses: with SOURCE_ADDRESS=127.0.0.2 its wildcard sockets are bound
 * to that address instead, and its connections come from there. Several endpoints can then share the loopback network
 * as if each had a machine of its own, and none receives what is sent to another's address.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

typedef int (*address_call)(int, const struct sockaddr *, socklen_t);

/* 1 if `address` is the IPv4 wildcard; then `own` is it with the wanted source address. */
static int replaced(const struct sockaddr *address, socklen_t length, struct sockaddr_in *own)
{
    const char *wanted = getenv("SOURCE_ADDRESS");

    if (!wanted || !address || length < sizeof *own || address->sa_family != AF_INET)
        return 0;
    memcpy(own, address, sizeof *own);
    return own->sin_addr.s_addr == htonl(INADDR_ANY) && inet_pton(AF_INET, wanted, &own->sin_addr) == 1;
}

int bind(int descriptor, const struct sockaddr *address, socklen_t length)
{
    address_call next = (address_call)dlsym(RTLD_NEXT, "bind");
    struct sockaddr_in own;

    if (replaced(address, length, &own))
        return next(descriptor, (const struct sockaddr *)&own, sizeof own);
    return next(descriptor, address, length);
}

int connect(int descriptor, const struct sockaddr *address, socklen_t length)
{
    address_call next = (address_call)dlsym(RTLD_NEXT, "connect");
    struct sockaddr_in here, own;
    socklen_t here_length = sizeof here;

    if (address && address->sa_family == AF_INET
        && getsockname(descriptor, (struct sockaddr *)&here, &here_length) == 0
        && replaced((const struct sockaddr *)&here, here_length, &own))
        bind(descriptor, (const struct sockaddr *)&own, sizeof own);
    return next(descriptor, address, length);
}
