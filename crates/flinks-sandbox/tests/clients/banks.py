"""The seven banks of the legacy guide, by Python: each challenge as the guide prints it, answered as it prints."""

import os
import time

import requests

URL = f"{os.environ['FLINKS_API_URL']}/v3/{os.environ['FLINKS_CUSTOMER_ID']}/BankingServices/"

FAMILY = {
    "What is the name of your mother": ["Louise"],
    "What is the name of your father": ["Paul"],
    "What is the name of your dog": ["Wouf"],
}
# The chosen question is the key of the answer.
NEW_QUESTIONS = {
    "What is the name of my mother": ["Louise"],
    "What is the name of my father": ["Paul"],
    "What is the name of my dog": ["Wouf"],
}
DOG = {"What is the name of your dog": ["Wouf"]}
QUESTION, CHOICE = "QuestionAndAnswer", "MultipleChoice"
DEVICE = "Please verify your identity on your trusted device"
# Institution, user, and a round each: the types of its challenges, and the answers.
BANKS = [
    ("FlinksCapital", "Greatday", [([QUESTION], None)] * 3),
    ("RBC", "rbc_triple", [
        ([QUESTION], {"What is the name of your dog": ["Rex"]}),
        ([QUESTION] * 3, FAMILY),
    ]),
    ("RBC", "rbc_new_questions", [([QUESTION] * 3, NEW_QUESTIONS)]),
    ("Laurentienne", "laurentienne_image", [([QUESTION], DOG), (["ImageSelection"], None)]),
    ("National", "national_securid", [
        ([QUESTION], {"Enter your SecurID": ["123456"]}),
        ([QUESTION], DOG),
    ]),
    ("Scotia", "scotia_reset", [
        ([CHOICE, CHOICE + "MultipleAnswers"], {
            "Choose one of the following:": ["None of the above"],
            "What purchases did you make over the last 10 days?": [
                "Purchase 1: $10.35",
                "Purchase 3: $143.86",
            ],
        }),
        ([QUESTION] * 3, NEW_QUESTIONS),
    ]),
    ("TD", "td_code", [
        (["TextOrCall"], {"PhoneNumber #2": ["Text"]}),
        ([QUESTION], {"Enter the security code": ["123456"]}),
    ]),
    ("RBC", "rbc_device", [(["WaitUntilEUAccept"], {DEVICE: ["VERIFIED"]})]),
]
# What the guide leaves to the user.
ANSWERS = {
    "What city were you born in?": "Montreal",
    "What is the best country on earth?": "Canada",
    "What shape do people like most?": "Triangle",
}


def call(endpoint, body):
    response = requests.post(URL + endpoint, json=body)
    return response.status_code, response.json()


for institution, user, rounds in BANKS:
    body = {
        "Institution": institution,
        "username": user,
        "Password": "Everyday",
        "MostRecentCached": False,
        "Save": True,
    }
    status, answer = call("Authorize", body)
    for types, responses in rounds:
        where = f"{user}: {status} {str(answer)[:400]}"
        challenges = answer.get("SecurityChallenges", [])
        assert status in (203, 401) and [c["Type"] for c in challenges] == types, where
        prompt = challenges[0]["Prompt"]
        if types == ["ImageSelection"]:
            responses = {prompt: [challenges[0]["Iterables"][3]]}
        request_id = answer["RequestId"]
        body = {
            "RequestId": request_id,
            "SecurityResponses": responses or {prompt: [ANSWERS[prompt]]},
        }
        status, answer = call("Authorize", body)
        # The device answers after two seconds; until then the challenge is repeated.
        while types == ["WaitUntilEUAccept"] and status == 203:
            time.sleep(0.2)
            status, answer = call("Authorize", body)
    assert status == 200 and answer["Login"]["Id"], f"{user}: {status} {answer}"
    status, data = call("GetAccountsSummary", {"RequestId": answer["RequestId"]})
    assert status == 200 and data["Accounts"], f"{user}: accounts: {status} {data}"
