### English: the language every other catalogue is measured by.
###
### Messages that `rich` shows may hold <strong> and <a href="{ $name }">, and write & as &amp;. All others are plain text.

## Around every page

skip-to-content = Skip to main content
nav-main = Main
nav-home = Home
nav-my-account = My Account
nav-login = Login
nav-register = Register
nav-logout = Logout
idle-limit = You will be logged out after { $limit } without activity.
problem-heading = There is a problem
error-mark = Error:
need-help = Need help?
your-administrator = your administrator
contact-email = <a href="mailto:{ $email }">{ $email }</a>
language-title = Choose a language
language-lead = Pages and emails will be in the language you choose, wherever we have it.
this-page-only = This page is in English only.
stale-form = This page was open for a long time. Check your answers and try again.
filled-in = What you had typed is filled in again. It is not saved yet: check it, then save it.
filled-in-instead = Show what is saved instead
time-out-title = For your security we will log you out in { $left }.
time-out-seconds = For your security we will log you out in { $n } seconds.
time-out-second = For your security we will log you out in 1 second.
time-out-longest = A login lasts { $longest } at most, so this cannot be extended. Log in again after { $until }. What you type is kept.
time-out-failed = The service did not answer. Press Stay logged in again.
time-out-kept = What you type is kept, so that you can go on with it when you log in again.
time-out-stay = Stay logged in
time-out-go-on = Go on until then
time-out-say = You will be logged out in { $left }.
time-out-minute = 1 minute
time-out-last = 20 seconds

## Parts of forms

field-required = required
field-optional = (optional)
required-field = Required field
show-password = Show password
show-password-again = Show confirmed password
hide-answer = Hide secret answer
steps-label = Registration steps
steps-finished = Finished:
steps-count = Step { $step } of 3
do-next = Next
do-previous = Previous
do-change = Change
do-save = Save
do-continue = Continue

## Labels

label-email = Email Address
label-email2 = Confirm Email
label-password = Password
label-new-password = Password
label-new-password2 = Confirm Password
label-question = Secret Question
label-own_question = Your own question
label-answer = Secret Answer
label-title = Title
label-forename = Forename
label-surname = Surname
label-gender = Gender
label-gender_other = Your gender
label-role = Professional Role
label-organisation = Organisation Name
label-postcode = Postcode
label-address_line1 = Address line 1
label-address_line2 = Address line 2
label-town = Town or city
label-county = County
label-country = Country
label-mobile = Mobile Number
label-work_phone = Work Phone
label-code = Verification Code
label-link = Link from the email
label-preferred_method = Preferred method
label-any = This field

## Problems that any field can have

any-required = { $label } is required
any-too-long = { $label } is too long
any-too-long-by = { $label } must be { $n } characters or fewer
any-too-short = { $label } is too short
any-too-short-by = { $label } must be { $n } characters or more
any-hidden-characters = { $label } must not include hidden characters
any-format = Enter { $label } in the correct format
any-check = Check { $label } and try again

## Problems by their reason code, with a hyphen for each full stop

email-required = Email Address is required
email-format = Enter an email address in the correct format, like name@example.com
email-unchanged = This is your Email Address already
email-too_long = Email Address must be 254 characters or fewer
email2-mismatch = Confirm New Email value must match your Email Address
password-required = Password is required
password2-mismatch = Passwords must match
password-wrong = Password is not correct.
password-common = Choose a password that is harder to guess: this one is on a list of common passwords
password-context = Password must not contain the name of the service
password-is_username = Password must not be the same as your Email Address
password-reused = Choose a password you have not used here before
password-unchecked = Your password could not be checked against known data breaches. Try again in a few minutes
sign_in-wrong = Email Address or Password is not correct.
question-required = Choose a Secret Question
own_question-holds_password = Your own question must not hold your password
answer-required = Secret Answer is required
answer-too_short = Secret Answer must have at least 3 characters
answer-too_long = Secret Answer must be 100 characters or fewer
answer-is_password = Secret Answer must not be the same as your password
answer-is_email = Secret Answer must not be the same as your Email Address
answer-is_question = Secret Answer must not repeat the question
answer-common = Choose a Secret Answer that is harder to guess
title-required = Title is required
forename-required = Forename is required
surname-required = Surname is required
gender-required = Gender is required
roles-required = You need at least one Professional Role
roles-too_many = You can have at most { $n } Professional Roles. Remove one to add another.
main-required = Choose your main role
role-required = Please enter your role title
organisation-required = Enter your Organisation Name
postcode-required = Enter postcode
postcode-format = Enter a full UK postcode
address-required = Choose an address, or My address is not listed
address_line1-required = Enter address line 1, typically the building and street
town-required = Enter town or city
country-required = Enter the country of the address
mobile-format = Enter a phone number, like 01632 960 001, 07700 900 982 or +44 808 157 0192
work_phone-format = Enter a phone number, like 01632 960 001, 07700 900 982 or +44 808 157 0192
code-required = Enter your Verification Code
code-too_short = You've not entered enough numbers, the code must be { $n } numbers
code-too_long = You've entered too many numbers, the code must be { $n } numbers
code-letters = The code must be { $n } numbers
code-wrong =
    { $n ->
        [one] That code is not correct. 1 try left.
       *[other] That code is not correct. { $n } tries left.
    }
code-expired = The code has expired. We have sent a new one.
code-other_browser = Enter the code in the browser where you logged in
code-too_many_wrong = Too many wrong codes. Reset your password to log in again.
link-required = Paste the whole link from the email
resend-wait =
    { $n ->
        [one] Wait 1 second, then send it again
       *[other] Wait { $n } seconds, then send it again
    }
throttle-minutes =
    { $n ->
        [one] Too many tries. Wait 1 minute or reset your password.
       *[other] Too many tries. Wait { $n } minutes or reset your password.
    }

## The rules of a password

rules-title = Please enter password
rules-progress = { $met } of { $all } password rules met
rule-length =
    { $least ->
        [one] Minimum 1 character and not longer than { $most }
       *[other] Minimum { $least } characters and not longer than { $most }
    }
rule-digits =
    { $least ->
        [one] Minimum 1 number
       *[other] Minimum { $least } numbers
    }
rule-lower =
    { $least ->
        [one] Minimum 1 lower case character
       *[other] Minimum { $least } lower case characters
    }
rule-upper =
    { $least ->
        [one] Minimum 1 upper case character
       *[other] Minimum { $least } upper case characters
    }
rule-special =
    { $least ->
        [one] Minimum 1 special character
       *[other] Minimum { $least } special characters
    }
rule-username = Must not be the same as the username
rule-case = Passwords are case sensitive
broken-too-little = Password must have at least { $missing }
broken-barred = Password must not { $barred }
broken-both = Password must have at least { $missing }, and must not { $barred }
list-and = { $items } and { $last }
list-or = { $items } or { $last }
missing-characters =
    { $n ->
        [one] 1 character
       *[other] { $n } characters
    }
missing-digits =
    { $n ->
        [one] 1 number
       *[other] { $n } numbers
    }
missing-lower =
    { $n ->
        [one] 1 lower case letter
       *[other] { $n } lower case letters
    }
missing-upper =
    { $n ->
        [one] 1 upper case letter
       *[other] { $n } upper case letters
    }
missing-special =
    { $n ->
        [one] 1 special character
       *[other] { $n } special characters
    }
barred-too_long =
    { $n ->
        [one] be longer than 1 character
       *[other] be longer than { $n } characters
    }
barred-too_many_bytes =
    { $n ->
        [one] be longer than 1 byte
       *[other] be longer than { $n } bytes
    }
barred-control = contain hidden characters
barred-is_username = be the same as the username
barred-context = contain your name, your email address, the name of the service or another barred word
barred-common = be a commonly used password
barred-breached = be a password that is known from a data breach

## Front page, login, timed out (P1, P2, P28)

home-title = Home
home-welcome = Welcome to the { $service }
login-title = Login
login-button = Login
login-no-account = Don't have an account? Please <a href="{ $register }">register</a>
login-forgotten = Forgotten your password?
logged-out = You have logged out.
email-changed = Your email address has been changed. Log in with it.
account-closed = Your account is closed. Until it is removed, the link in the email we have sent you brings it back.
account-restored = Your account is restored. Log in.
two-step-on = Two Step Verification is on. Log in again.
two-step-off = Two Step Verification is off. Log in again.
took-too-long = Log in again, that took too long.
tries-used = All tries for that code are used. Log in again to get a new one.
timed-out-title = You have been logged out
timed-out-lead = We logged you out after { $limit } without activity.
timed-out-longest = We logged you out { $longest } after you logged in.
timed-out-saved = What you had typed is saved for 24 hours.

## Verification Code (P3) and Confirm it is you (P32)

verify-title = Verification Code sent
verify-lead = Your Verification Code has been sent. Please enter your Verification Code to continue.
verify-sent = We sent it to <strong>{ $email }</strong> at { $sent }. It works until { $until }.
verify-button = Verify
verify-resend = Send the code again
verify-resent = We have sent the code again.
verify-different = Use a different account
verify-trouble = I cannot get the code
verify-trouble-junk = Look in the junk folder: automated mail is sometimes filtered.
verify-trouble-shared = If several people read the mailbox, ask whether one of them has the mail.
verify-trouble-write = Still nothing? Write to { $contact }.
verify-expired = The code has expired. Log in again to get a new one.
verify-no-more = We have sent the code as often as we can. Log in again to get a new one.
confirm-title = Confirm it is you
confirm-lead = You are about to change something that protects your account, so we ask for your password again. Afterwards you return to where you were.
confirm-last-try = That was the last try for this code. Enter your password to get a new one.
confirm-too-long = That took too long. Enter your password again.

## Registration (P4 to P8)

register-title = Registration
security-title = Security Details
security-lead = Register once to use the portal. Three short steps ask for what we need. Help is under each field.
security-email-hint = Your individual work address. We use it to log you in and to send codes.
security-email2-hint = Paste is fine
security-password-set = Password is set. Leave empty to keep it.
security-question-first = Choose a question
question-own = My own question
own-question-hint = Only where you choose My own question. Ask something that you remember and nobody else can find out, in 10 to 100 characters.
security-answer-hint = Capitals, accents and extra spaces do not matter. Do not use your password.
security-answer-set = An answer is set. Leave empty to keep it.
draft-expired = Start again: we keep unfinished forms for 2 hours.
about-title = About you
about-lead = Use your own details, not the name of your school or setting.
address-did-you-mean = Did you mean { $address }?
address-personal = This looks like a personal address. Use your work email address where possible: personal addresses are not recommended.
address-change = Change the address
address-use-anyway = Use this address anyway
about-title-hint = Choose one or type your own
about-titles = Dr|Miss|Mr|Mrs|Ms|Mx|Prof|Rev|Prefer not to say
about-gender-hint = We ask so that we can address you rightly. Only you and the administrators of the portal see it.
gender-female = Female
gender-male = Male
gender-another = Another
gender-undisclosed = Prefer not to say
work-title = Work Details
work-role-hint = Start typing and choose your role, or type it in full
work-roles = Roles
work-roles-one = 1 role matches
work-roles-other = { $n } roles match
work-address-lead = Enter your work postcode and press Find Address. Not in the list? Press Enter Address Manually and type it.
work-find = Find Address
work-manual = Enter Address Manually
work-choose = Choose an address
work-found = ({ $n } found)
work-not-listed = My address is not listed
work-not-found = We could not find that postcode. Enter the address yourself.
work-search-down = Address search is not working. Enter the address yourself.
work-not-uk = Not a UK address
work-phone-lead = We do recommend that you give one number.
work-phone-hint = A number where we can reach you in office hours, if we need to.
work-more-roles = You can add another Professional Role in My Account after registering.
work-submit = Submit Registration
check-title = Check your answers
check-lead = Nothing is sent before you press Submit Registration.
check-set = Set
check-not-given = Not given
check-address = Address
already-sent-title = You have already sent this registration
already-sent-lead = Nothing was sent twice. Carry on here:
already-sent-login = Log in
already-sent-next = What to do next

## The link (P9 to P12)

sent-title = Check your email
sent-lead = We have sent a link to <strong>{ $email }</strong>. Use it before { $until } ({ $lifetime }).
sent-lead-elsewhere = After a registration we send a link by email. It works for { $lifetime }.
sent-not-there = If it does not come
sent-junk = Look in the junk folder if nothing is there after 30 minutes.
sent-allow = Ask your mail administrator to let mail from <strong>{ $sender }</strong> through.
sent-then = Then send the link again, or use another address.
sent-wait = You can send it again at { $until }.
sent-wait-one = You can send it again in 1 second.
sent-wait-other = You can send it again in { $n } seconds.
sent-wait-over = You can send it again now.
sent-email-hint = The one you registered with
sent-again = Send the link again
sent-different = Use a different email address
sent-done = We have sent the link again.
sent-asked = If a registration is waiting for this address, an email is on its way.
complete-title = Confirm your email address
complete-lead = This link confirms <strong>{ $email }</strong>. Enter your password to complete the registration.
complete-password-hint = the one you chose when you registered
complete-button = Complete registration
complete-not-mine-hint = Forgotten it, or did somebody else register this address? Start again: the address counts as confirmed and nothing of the earlier registration is kept.
complete-not-mine = I did not choose this password
complete-breached = This password is known from a data breach. Choose another one with the button “I did not choose this password”
complete-prepared-lead = This link confirms <strong>{ $email }</strong>. An administrator has prepared your registration: choose a password of your own, then check your details.
complete-prepared-button = Choose your password
complete-wrong =
    { $n ->
        [one] Password is not correct. 1 try left.
       *[other] Password is not correct. { $n } tries left.
    }
registered-title = Thank you for registering
registered-lead = Your email address is confirmed and your registration is complete.
registered-username = Your email address is your username.
registered-username-is = Your email address, <strong>{ $email }</strong>, is your username.
registered-two-step = Some areas need Two Step Verification. You can turn it on in My Account after you log in.
registered-two-step-optional = You can make your account safer with Two Step Verification: a code that we email you each time you log in. You can turn it on in My Account after you log in.
registered-two-step-all = Each time you log in, we email you a Verification Code. Enter it to finish logging in.
link-expired-title = This link has stopped working
link-expired-lead = This link stopped working at { $stopped }. Links last { $lifetime }.
link-expired-kept = What you entered is still here. A new link comes to the same address.
link-expired-renew = Send a new link
link-expired-over = We keep an unfinished registration for 24 hours longer, and that time is over too.
link-register = Register
link-over-title = This registration can no longer be completed
link-over-lead = This registration can no longer be completed. <a href="{ $login }">Log in</a>, or <a href="{ $register }">register</a> again.
link-replaced-title = We have sent a newer link
link-replaced-lead = We have sent a newer link to the same address. Open the newest email from us and use the link in it.
link-replaced-missing = The email did not come
link-unknown-title = Check that the whole link was copied
link-unknown-lead = Check that the whole link was copied. Mail programs sometimes break a long link in two.
link-unknown-hint = Copy it from the email and paste it here
link-unknown-open = Open the link
link-unknown-else = No email at hand? <a href="{ $login }">Log in</a> or <a href="{ $register }">register</a>.

## Home, the area, Two Step Verification (P15, P16, P23)

signed-in-welcome = Welcome, { $forename }
signed-in-missing = Tell us your { $what } to carry on
missing-personal = personal details
missing-work = work details
missing-role = professional role
signed-in-last = Last login: { $when }
signed-in-last-with = { $when } with { $browser }
tile-area = Early Help assessments, and advice for Education, Health and Care Plans.
tile-account = Your details, and how you log in.
area-name = SEND (EHCP) & Early Help (EHAT)
area-lead = You are logged in with Two Step Verification.
area-closed-title = Two Step Verification is needed here
area-closed-lead = { $area } holds sensitive records about children, so a password alone does not open it.
area-closed-how = With Two Step Verification we email you a code each time you log in. Turning it on takes a minute: you choose it, log in again with a code, and land right here.
area-closed-turn-on = Turn on Two Step Verification
area-closed-back = Back to Home
two-step-title = Two Step Verification
two-step-lead = A second step keeps your data safer: somebody who learns your password still cannot log in.
two-step-how = While it is on, we email you a code each time you log in, and you enter it after your password.
two-step-areas = These areas open only while it is on:
two-step-email = Email
two-step-none = No Two Step Verification
two-step-signs-out = Saving a change signs you out. Log in again afterwards.
two-step-choose = Choose your preferred method
nothing-changed = Nothing was changed.

## The menu of My Account, by the last part of each path

menu-personal-details = Personal Details
menu-work-details = Work Details
menu-change-email-address = Change Email Address
menu-change-password = Change Password
menu-change-secret-question = Change Secret Question
menu-two-step-verification = Two Step Verification
menu-change-of-circumstances = Change of Circumstances
menu-sessions = Where you are logged in
menu-activity = Account activity
menu-your-data = Download or close account
menu-administration = Administration

## Problems (P24)

problem-not-found = Page not found
problem-not-found-lead = If you typed the address, check it. If you followed a link, the page may have moved.
problem-other-site = This form came from another site
problem-other-site-lead = For your safety nothing was done. Open the page here and send it again.
problem-other-site-ask = If you did not come from another site, ask { $contact }.
problem-unreadable = We could not read that
problem-unreadable-lead = What your browser sent could not be read. Nothing was saved. Go back, open the page again, and send it once more.
problem-too-large = That is too large to send
problem-too-large-lead = One page can send up to { $limit }. Go back, shorten what you typed, and send it again. Nothing was saved.
problem-other-address = The service has another address
problem-other-address-lead = Nothing is shown under the address you used. Open the service here:
problem-too-many = Too many tries
problem-too-many-lead =
    { $n ->
        [one] Too many tries. Wait 1 minute or <a href="{ $reset }">reset your password</a>.
       *[other] Too many tries. Wait { $n } minutes or <a href="{ $reset }">reset your password</a>.
    }
problem-too-many-why = This keeps other people from guessing their way in.
problem-broken = There is a problem with the service
problem-broken-lead = Something on our side went wrong. Try again in a few minutes.
problem-broken-tell = If it happens again, tell { $contact } this reference: <strong class="reference">{ $reference }</strong>
problem-unavailable = The service is unavailable
problem-unavailable-until = We expect to be back at { $until }.
problem-unavailable-soon = We expect to be back in a few minutes.
problem-typed = What you typed is on this page, apart from passwords and answers.
problem-try-again = Try again
problem-go-home = Go to Home
problem-back-to-login = Back to Login

## A forgotten password (P13, P14)

forgot-title = Forgotten your password?
forgot-lead = Enter the email address you log in with. We send a link to it with which you choose a new password.
forgot-send = Send reset link
forgot-always = If the address has an account, an email is on its way. The link works for { $lifetime }.
forgot-no-email = The email does not come
forgot-no-email-check = Look in the junk folder, and check that it is the address you registered with. Asking again sends the same link, at most once a minute.
forgot-no-email-write = If nothing helps, write to { $contact }. Never send a password, a code or the answer to your Secret Question: nobody here needs them.
reset-title = Reset your password
reset-answer-lead =
    { $n ->
        [one] Step 1 of 2. Answer the question you chose when you registered. You have 1 try.
       *[other] Step 1 of 2. Answer the question you chose when you registered. You have { $n } tries.
    }
reset-answer-hint = Capitals, accents and extra spaces do not matter.
reset-question-gone = The question you chose is no longer offered, but your answer still counts.
reset-answer-again = Answer again: that took too long, or you answered in another browser.
answer-wrong =
    { $n ->
        [one] Secret Answer is not correct. 1 try left.
       *[other] Secret Answer is not correct. { $n } tries left.
    }
reset-cannot = I cannot answer this
reset-cannot-delayed = Forgotten the answer? You can set a new password without it after { $delay }. Until then we tell you by email that it was asked for, and logging in with your password cancels it.
reset-cannot-waits = You have asked to reset without the answer. At { $until } we send you a link with which you set a new password. Logging in with your password cancels it.
reset-cannot-write = Write to { $contact } from the email address you registered with. They can send you a link that asks for no answer.
reset-password-title = Choose a new password
reset-password-lead = Saving it logs you out everywhere. Then log in with it.
password-reset = Your password has been changed. Log in with it.
reset-paused-title = Resetting your password is paused
reset-paused-lead = The Secret Answer was wrong too many times, so we protect your account.
reset-paused-until = You can ask for a new link after { $until }.
reset-paused-write = Only an administrator can help now. Write to { $contact } from the email address you registered with.
reset-paused-log-in = Your password was not changed. If you remember it, <a href="{ $login }">log in</a>.
recovery-banner = Someone asked to reset your password without the Secret Answer. It takes effect at { $due }. If this was not you, cancel it.
recovery-cancel = Cancel the reset
recovery-title = Cancel the reset of your password
recovery-lead = Someone asked to reset your password without the Secret Answer. It takes effect at { $due }. To cancel it, enter the email address that our email went to ({ $email }).
recovery-other-address = Enter the email address that our email went to
recovery-cancelled = The reset has been cancelled. Your password is as it was.

## Help (P31)

help-title = Help
help-lead = Stuck? Write to { $contact }. Never send a password or a code.
help-no-email = The email did not come
help-no-email-text = Automated mail is sometimes filtered. Look in the junk folder after 30 minutes, and ask your mail administrator to let mail from <strong>{ $sender }</strong> through.
help-link = The link does not work
help-link-text = Links to complete a registration last { $lifetime }. The page that an old link opens can send you a new one. If the link was cut in two, copy the whole of it.
help-code = The code does not work
help-code-text = A Verification Code works for { $lifetime }, in the browser where you logged in. Spaces and dashes do not matter.
help-logged-out = You were logged out
help-logged-out-text = For your security we log you out after { $limit } without activity. Save regularly.
help-log-in = You cannot log in
help-log-in-text = Passwords are case sensitive. <a href="{ $forgotten }">Forgotten your password?</a>
help-ehat = EHAT Portal guidance
help-ehat-text = Early Help assessments (EHAT) are completed here: the assessment, the plan with the outcomes it works towards, and its review. Log in and open <a href="{ $area }">{ $name }</a>. If that page asks for Two Step Verification first, it shows how to turn it on. Save often while you write.
help-send = SEND Portal guidance
help-send-text = Proposals and advice for Education, Health and Care Plans (EHCP) are sent from the same place: log in and open <a href="{ $area }">{ $name }</a>.

## The questions that come with the portal; a deployment's own are shown as they stand in its file

ask-first-car = The model of your first car?
ask-first-pet = The name of your first pet?
ask-first-street = The street you lived in as a child?
ask-first-school = The first school you went to?
ask-childhood-friend = The name of your best friend as a child?
ask-first-job = The town of your first job?
ask-first-concert = The first concert you went to?
ask-favourite-teacher = The surname of a teacher you liked?
ask-grandparent-town = The town where a grandparent of yours was born?
ask-first-holiday = The first place you went to on holiday?

### Pages in English only: messages below need no translation yet. Move them up together with their page.
