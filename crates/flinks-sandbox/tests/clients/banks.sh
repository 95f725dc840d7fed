#!/usr/bin/env bash
# The seven banks of the legacy guide by curl, with the bodies that the guide prints.
set -euo pipefail

api="$FLINKS_API_URL/v3/$FLINKS_CUSTOMER_ID/BankingServices"
post() { # ENDPOINT JSON; sets answer and status
  answer=$(curl -sS --max-time 20 --cacert "$FLINKS_CA" -w '\n%{http_code}' "$api/$1" \
    -H 'content-type: application/json' -d "$2")
  status=${answer##*$'\n'} answer=${answer%$'\n'*}
}
want() { # STATUS [TEXT]; fails unless the last answer is that
  if [ "$status" != "$1" ] || ! grep -qF -- "${2-}" <<<"$answer"; then
    echo "$user: not $1 with ${2-any text}: $status ${answer:0:600}" >&2
    exit 1
  fi
}
field() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" <<<"$answer"; }
login() { # INSTITUTION USER: the guide's first body
  user=$2
  post Authorize "{ \"Institution\":\"$1\", \"username\": \"$2\", \"Password\": \"Everyday\",
    \"MostRecentCached\":false, \"Save\": true }"
  want 203 SecurityChallenges
  request_id=$(field RequestId)
}
reply() { # SECURITY_RESPONSES
  post Authorize "{ \"RequestId\" : \"$request_id\", \"SecurityResponses\" : $1 }"
}
authorized() {
  want 200 '"Login"'
  post GetAccountsSummary "{\"RequestId\": \"$request_id\"}"
  want 200 '"Accounts"'
}

family='{ "What is the name of your mother" : [ "Louise" ],
          "What is the name of your father" : [ "Paul" ],
          "What is the name of your dog"    : [ "Wouf" ] }'
# The guide's answer to new questions says "your"; the questions that it offers say "my".
new_questions=${family//your/my}
dog='{ "What is the name of your dog": [ "Wouf" ] }'

login FlinksCapital Greatday
reply '{ "What city were you born in?": ["Montreal"] }'
reply '{ "What is the best country on earth?": ["Canada"] }'
want 203 "What shape do people like most?"
reply '{ "What shape do people like most?": [ "Triangle" ] }'
authorized

# Case 1: RBC, three questions after a wrong answer.
login RBC rbc_triple
reply '{ "What is the name of your dog": [ "Rex" ] }'
want 401 "What is the name of your mother"
reply "$family"
authorized

# Case 2: RBC, new questions.
login RBC rbc_new_questions
want 203 "Personal Verification Question 3"
reply "$new_questions"
authorized

# Case 3: Laurentienne, the fourth of sixteen images.
login Laurentienne laurentienne_image
reply "$dog"
want 203 ImageSelection
image=$(sed 's/.*"Iterables": *\[//' <<<"$answer" | cut -d , -f 4)
reply '{ "Select an image": [ '"$image"' ] }'
authorized

# Case 4: National, SecurID, then a question.
login National national_securid
want 203 "Enter your SecurID"
reply '{ "Enter your SecurID": [ "123456" ] }'
want 203 QuestionAndAnswer
reply "$dog"
authorized

# Case 5: Scotia. The guide's command lacks the comma between its two answers.
login Scotia scotia_reset
want 203 MultipleChoiceMultipleAnswers
reply '{
          "Choose one of the following:" : [ "None of the above" ],
          "What purchases did you make over the last 10 days?" : [
            "Purchase 1: $10.35",
            "Purchase 3: $143.86"
          ]
        }'
want 203 "Personal Verification Question 3"
reply "$family"
want 401 UNKNOWN_CHALLENGE_KEY
reply "$new_questions"
authorized

# Case 6: TD, a code by text message.
login TD td_code
want 203 TextOrCall
reply '{ "PhoneNumber #2" : [ "Text" ] }'
want 203 "Enter the security code"
reply '{ "Enter the security code" : [ "123456" ] }'
authorized

# Case 7: RBC, the trusted device of a saved login.
user=rbc_device
login_id=00000000-0000-4000-8000-000000000012
post Authorize "{ \"LoginId\": \"$login_id\", \"MostRecentCached\": false, \"Save\": true }"
want 203 WaitUntilEUAccept
request_id=$(field RequestId)
# The device answers after two seconds; until then the challenge is repeated.
for _ in {1..50}; do
  reply '{ "Please verify your identity on your trusted device": [ "VERIFIED" ] }'
  [ "$status" = 203 ] || break
  sleep 0.2
done
authorized
