#use push-setup.sh
printf '%s\n' "$NAMES" | tr '\n' '\0' | xargs -0 splitter cache push --verbose --to "@TARGET@"
#if to_cachix
# The cache deletes what nobody fetched for long, but never the last versions of the branch.
if [ "@REF@" = "@BRANCH_REF@" ]; then
  printf '%s\n' "$NAMES" | tr '\n' '\0' | xargs -0 splitter cache pin --to "@TARGET@" --keep-revisions 3
fi
#end
