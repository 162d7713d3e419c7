  if [ -z "${@SECRET@:-}" ]; then
    echo "nothing was pushed to @CACHE@: the variable @SECRET@ is not set"
  else
    #use push.sh
  fi
