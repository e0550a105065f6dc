#!/usr/bin/env bash
# Goes through the steps of Dockerfile where no Docker runs: what COPY copies is enough for cargo, and the binary runs in
# what the last stage holds, under its user, with nothing else around it. Needs root, or sudo without a password.
#
# The binary is target/debug/typephoon-api unless IMAGE_BINARY names another, for instance target/dist/typephoon-api: then
# its compressed size is checked, too.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "image-test.sh: $*" >&2; exit 1; }
# The only value behind an instruction of the last stage.
last_stage() { sed -n '/^FROM gcr/,$p' Dockerfile | sed -n "s/^$1 //p"; }

sudo=()
if [[ $(id -u) != 0 ]]; then
    sudo=(sudo -n)
    "${sudo[@]}" true || fail "neither root nor sudo without a password"
fi

tree=$(mktemp -d)
server=
end() {
    [[ -z $server ]] || "${sudo[@]}" kill -KILL "$server" 2>/dev/null || true
    "${sudo[@]}" rm -rf "$tree"
}
trap end EXIT

echo "the build has all it needs"
grep -qx 'COPY \. \.' Dockerfile || fail "Dockerfile copies something else than the context"
grep -qx '\*' .dockerignore || fail ".dockerignore does not begin with nothing"
mkdir "$tree/src"
sed -n 's/^!//p' .dockerignore | while read -r path; do
    cp -a --parents "$path" "$tree/src" || fail ".dockerignore names $path, which is not there"
done
command=$(sed -n 's/^ *cargo build --profile dist \(.*\) \\$/\1/p' Dockerfile)
[[ -n $command ]] || fail "Dockerfile builds in another way"
# Compiles the crate itself without generating code; dependencies were checked for clippy.
read -ra arguments <<<"$command"
target=${CARGO_TARGET_DIR:-$PWD/target}
(cd "$tree/src" && CARGO_TARGET_DIR=$target cargo check --quiet ${TEST_TARGETS-} "${arguments[@]}")
for copied in $(sed -n 's/^ *&& install -D -m [0-9]* \([^ ]*\) .*/\1/p' Dockerfile); do
    [[ $copied == target/* || -e $tree/src/$copied ]] || fail "the build installs $copied, which is not copied"
done

echo "the image runs"
binary=${IMAGE_BINARY:-$target/debug/typephoon-api}
[[ -x $binary ]] || fail "$binary is not there: build it, or name another in IMAGE_BINARY"
image=$tree/image
install -D -m 0755 "$binary" "$image/usr/local/bin/typephoon-api"
install -D -m 0644 LICENSE "$image/usr/share/doc/typephoon-api/LICENSE"
install -d -m 0755 "$image/etc/typephoon" "$image/tmp"
install -d -m 0700 "$image/var/lib/typephoon"
# What distroless/cc brings: certificates, the C library and libgcc, and no other library.
install -D -m 0644 /etc/ssl/certs/ca-certificates.crt "$image/etc/ssl/certs/ca-certificates.crt"
printf 'passwd: files\nhosts: files dns\n' >"$image/etc/nsswitch.conf"
echo "127.0.0.1 localhost" >"$image/etc/hosts"
ldd "$binary" | grep -oE '/[^ ]+' | while read -r library; do
    case ${library##*/} in
        libc.so.6 | libm.so.6 | libgcc_s.so.1 | libdl.so.2 | libpthread.so.0 | ld-linux-*) ;;
        *) fail "the binary needs ${library##*/}, which distroless/cc does not have" ;;
    esac
    install -D -m 0755 "$(readlink -f "$library")" "$image$library"
done

user=$(last_stage USER)
[[ $user =~ ^[1-9][0-9]*:[1-9][0-9]*$ ]] || fail "USER is $user, not a number other than 0"
"${sudo[@]}" chown -R 0:0 "$image"
"${sudo[@]}" chown "$user" "$image/var/lib/typephoon"
"${sudo[@]}" chmod 0555 "$image/etc/typephoon" "$image/tmp"
"${sudo[@]}" chmod 0755 "$tree"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
variables=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    TP_DATA_DIR=/var/lib/typephoon TP_SERVER__PORT="$port" TP_SERVER__HOST=127.0.0.1)
# Beside the server's port there is one for operations, which may be taken on this machine.
! (cd "$tree" && "$binary" config | grep -q '^operations:') || variables+=(TP_OPERATIONS__PORT=0)
inside() { exec "${sudo[@]}" env -i "${variables[@]}" chroot --userspec="$user" "$image" "$@"; }
entry=$(last_stage ENTRYPOINT | tr -d '[]"')
health=$(sed -n 's/^HEALTHCHECK .*CMD \[\(.*\)\]$/\1/p' Dockerfile | tr -d '",')
[[ -n $entry && -n $health ]] || fail "Dockerfile has no ENTRYPOINT or HEALTHCHECK"
touch "$tree/before"
(inside "$entry") >"$tree/log" 2>&1 &
server=$!
read -ra health_command <<<"$health"
for _ in $(seq 100); do
    kill -0 "$server" 2>/dev/null || { cat "$tree/log" >&2; fail "the server has ended"; }
    (inside "${health_command[@]}") 2>"$tree/health" && break || sleep 0.1
done
(inside "${health_command[@]}") || { cat "$tree/log" >&2; fail "the server is not healthy"; }

written=$("${sudo[@]}" find "$image" -newer "$tree/before" -type f \
    -not -path "$image/var/lib/typephoon/*")
[[ -z $written ]] || fail "written outside of the volume: $written"
for tool in sh bash busybox; do
    [[ ! -e $image/bin/$tool ]] || fail "there is a shell"
done

echo "it ends when asked to"
"${sudo[@]}" kill -TERM "$server"
wait "$server" || { cat "$tree/log" >&2; fail "it ended with $?"; }
server=

bytes=$(tar -C "$image/usr" -c . | gzip -9 | wc -c)
echo "compressed, without the base image: $((bytes / 1024)) KiB"
# The base is 10 MiB compressed, and the whole is to be under 30.
[[ -z ${IMAGE_BINARY:-} || $bytes -lt $((19 * 1024 * 1024)) ]] || fail "too large"
