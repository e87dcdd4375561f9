#!/bin/sh
# The toots command. Installs npm packages and builds when a source is newer than the last build, then becomes the program:
#   toots.sh registrator … | templater … | any other command (toots.sh help)
set -eu

home=$(dirname "$(readlink -f "$0")")
state="$home/.toots"

say() { echo "toots: $*" >&2; }

# Whether a stamp is missing, or anything given after it is newer (its inode too: a copied or moved file keeps its old date).
older() {
  stamp=$1 && shift
  [ ! -e "$stamp" ] || [ -n "$(find "$@" -cnewer "$stamp" -print -quit 2>/dev/null)" ]
}

packages_stale() { [ ! -d "$home/node_modules" ] || older "$state/installed" "$home/package.json" "$home/package-lock.json"; }

# The folders themselves are looked at too, so a file that was taken away counts; so is node, which may have been replaced.
build_stale() {
  [ ! -e "$home/dist/programs/deploy.cjs" ] || older "$state/built" "$(command -v node)" "$state/installed" "$home"/tsconfig*.json \
    "$home/build" "$home/model" "$home/consul" "$home/daemon" "$home/registrator" "$home/templater" "$home/deploy" "$home/bench" "$home/test/harness"
}

check_node() {
  command -v node >/dev/null || { say "Node.js 20.19 or newer is needed, and there is none on PATH (Debian: apt-get install nodejs npm, or a package of nodejs.org)"; exit 1; }
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    { say "Node.js 20.19 or newer is needed; $(command -v node) is $(node --version)"; exit 1; }
}

# Runs a long step; shows what it wrote only when it failed.
step() {
  what=$1 && shift
  say "$what …"
  "$@" >"$state/build.log" 2>&1 </dev/null || { cat "$state/build.log" >&2; say "$what: failed, see above"; exit 1; }
}

prepare() {
  check_node
  cd "$home"
  if packages_stale; then
    step "installing npm packages" npm install --include=dev --no-audit --no-fund
    touch "$state/installed"
  fi
  if build_stale; then
    touch "$state/building"
    step "building" npm run --silent build
    mv "$state/building" "$state/built"
  fi
}

command -v node >/dev/null || check_node
if packages_stale || build_stale; then
  mkdir -p "$state"
  (flock 9 && prepare 9>&-) 9>"$state/lock" || exit 1 # whoever comes second finds it done
fi

case ${1-} in
registrator | templater) program=$1 && shift ;;
*) program=deploy ;;
esac
# Young memory as large as the work needs it, MiB, since Node's own 16 would stay: an edge's plans, files. A run that ends at once gives all of it back.
# The build keeps compiled code for these flags.
case "$program $*" in
templater*-edge*) exec node --max-semi-space-size=4 "$home/dist/programs/$program.cjs" "$@" ;;
templater*-once* | templater*-dry*) exec node "$home/dist/programs/$program.cjs" "$@" ;;
templater*) exec node --max-semi-space-size=1 "$home/dist/programs/$program.cjs" "$@" ;;
*) exec node "$home/dist/programs/$program.cjs" "$@" ;;
esac
