### Cymraeg: yr un negeseuon ag yn en-GB.ftl, â’r un gwerthoedd.

## O amgylch pob tudalen

skip-to-content = Neidio i’r prif gynnwys
nav-main = Prif ddewislen
nav-home = Hafan
nav-my-account = Fy Nghyfrif
nav-login = Mewngofnodi
nav-register = Cofrestru
nav-logout = Allgofnodi
idle-limit = Byddwch yn cael eich allgofnodi ar ôl { $limit } heb weithgarwch.
problem-heading = Mae problem
error-mark = Gwall:
need-help = Angen help?
your-administrator = eich gweinyddwr
contact-email = <a href="mailto:{ $email }">{ $email }</a>
language-title = Dewis iaith
language-lead = Bydd tudalennau a negeseuon e-bost yn yr iaith o’ch dewis, lle bynnag y mae ar gael.
this-page-only = Dim ond yn Saesneg y mae’r dudalen hon ar gael.
stale-form = Bu’r dudalen hon ar agor am amser hir. Gwiriwch eich atebion a rhowch gynnig arall arni.
filled-in = Mae’r hyn roeddech wedi’i deipio wedi’i lenwi eto. Nid yw wedi’i gadw eto: gwiriwch ef, ac yna ei gadw.
filled-in-instead = Dangos yr hyn sydd wedi’i gadw yn lle hynny
time-out-title = Er eich diogelwch byddwn yn eich allgofnodi ymhen { $left }.
time-out-seconds = Er eich diogelwch byddwn yn eich allgofnodi ymhen { $n } eiliad.
time-out-second = Er eich diogelwch byddwn yn eich allgofnodi ymhen 1 eiliad.
time-out-longest = Mae mewngofnodi’n para { $longest } ar y mwyaf, felly nid oes modd ei ymestyn. Mewngofnodwch eto ar ôl { $until }. Bydd yr hyn rydych yn ei deipio yn cael ei gadw.
time-out-failed = Ni wnaeth y gwasanaeth ateb. Pwyswch “Aros wedi mewngofnodi” eto.
time-out-kept = Bydd yr hyn rydych yn ei deipio yn cael ei gadw, fel y gallwch barhau ag ef pan fyddwch yn mewngofnodi eto.
time-out-stay = Aros wedi mewngofnodi
time-out-go-on = Parhau tan hynny
time-out-say = Byddwch yn cael eich allgofnodi ymhen { $left }.
time-out-minute = 1 munud
time-out-last = 20 eiliad

## Rhannau o ffurflenni

field-required = gofynnol
field-optional = (dewisol)
required-field = Maes gofynnol
show-password = Dangos y cyfrinair
show-password-again = Dangos cadarnhad y cyfrinair
hide-answer = Cuddio’r ateb cyfrinachol
steps-label = Camau cofrestru
steps-finished = Wedi’i gwblhau:
steps-count = Cam { $step } o 3
do-next = Nesaf
do-previous = Blaenorol
do-change = Newid
do-save = Cadw
do-continue = Parhau

## Labeli

label-email = Cyfeiriad e-bost
label-email2 = Cadarnhau’r cyfeiriad e-bost
label-password = Cyfrinair
label-new-password = Cyfrinair
label-new-password2 = Cadarnhau’r cyfrinair
label-question = Cwestiwn cyfrinachol
label-own_question = Eich cwestiwn eich hun
label-answer = Ateb cyfrinachol
label-title = Teitl
label-forename = Enw cyntaf
label-surname = Cyfenw
label-gender = Rhywedd
label-gender_other = Eich rhywedd
label-role = Rôl broffesiynol
label-organisation = Enw’r sefydliad
label-postcode = Cod post
label-address_line1 = Llinell gyfeiriad 1
label-address_line2 = Llinell gyfeiriad 2
label-town = Tref neu ddinas
label-county = Sir
label-country = Gwlad
label-mobile = Rhif ffôn symudol
label-work_phone = Ffôn gwaith
label-code = Cod dilysu
label-link = Y ddolen o’r e-bost
label-preferred_method = Y dull sydd orau gennych
label-any = Y maes hwn

## Problemau a all godi mewn unrhyw faes

any-required = Rhaid llenwi’r maes “{ $label }”
any-too-long = Mae’r testun yn “{ $label }” yn rhy hir
any-too-long-by = Rhaid i “{ $label }” fod yn { $n } nod neu lai
any-too-short = Mae’r testun yn “{ $label }” yn rhy fyr
any-too-short-by = Rhaid i “{ $label }” fod yn { $n } nod neu fwy
any-hidden-characters = Ni chaiff “{ $label }” gynnwys nodau cudd
any-format = Rhowch “{ $label }” yn y fformat cywir
any-check = Gwiriwch “{ $label }” a rhowch gynnig arall arni

## Problemau yn ôl eu cod, â chysylltnod yn lle pob atalnod llawn

email-required = Rhowch eich cyfeiriad e-bost
email-format = Rhowch gyfeiriad e-bost yn y fformat cywir, fel enw@example.com
email-unchanged = Dyma eich Cyfeiriad E-bost yn barod
email-too_long = Rhaid i’r cyfeiriad e-bost fod yn 254 nod neu lai
email2-mismatch = Rhaid i’r ddau gyfeiriad e-bost fod yr un fath
password-required = Rhowch eich cyfrinair
password2-mismatch = Rhaid i’r ddau gyfrinair fod yr un fath
password-wrong = Nid yw’r cyfrinair yn gywir.
password-common = Dewiswch gyfrinair sy’n anoddach ei ddyfalu: mae hwn ar restr o gyfrineiriau cyffredin
password-context = Ni chaiff y cyfrinair gynnwys enw’r gwasanaeth
password-is_username = Ni chaiff y cyfrinair fod yr un fath â’ch cyfeiriad e-bost
password-reused = Dewiswch gyfrinair nad ydych wedi’i ddefnyddio yma o’r blaen
password-unchecked = Nid oedd modd gwirio eich cyfrinair yn erbyn toriadau data hysbys. Rhowch gynnig arall arni ymhen ychydig funudau
sign_in-wrong = Nid yw’r cyfeiriad e-bost neu’r cyfrinair yn gywir.
question-required = Dewiswch gwestiwn cyfrinachol
own_question-holds_password = Ni chaiff eich cwestiwn eich hun gynnwys eich cyfrinair
answer-required = Rhowch eich ateb cyfrinachol
answer-too_short = Rhaid i’r ateb cyfrinachol gynnwys o leiaf 3 nod
answer-too_long = Rhaid i’r ateb cyfrinachol fod yn 100 nod neu lai
answer-is_password = Ni chaiff yr ateb cyfrinachol fod yr un fath â’ch cyfrinair
answer-is_email = Ni chaiff yr ateb cyfrinachol fod yr un fath â’ch cyfeiriad e-bost
answer-is_question = Ni chaiff yr ateb cyfrinachol ailadrodd y cwestiwn
answer-common = Dewiswch ateb cyfrinachol sy’n anoddach ei ddyfalu
title-required = Rhowch eich teitl
forename-required = Rhowch eich enw cyntaf
surname-required = Rhowch eich cyfenw
gender-required = Dewiswch eich rhywedd
roles-required = Mae angen o leiaf un rôl broffesiynol arnoch
roles-too_many = Gallwch gael hyd at { $n } rôl broffesiynol. Tynnwch un i ychwanegu un arall.
main-required = Dewiswch eich prif rôl
role-required = Rhowch deitl eich rôl
organisation-required = Rhowch enw’r sefydliad
postcode-required = Rhowch god post
postcode-format = Rhowch god post llawn yn y DU
address-required = Dewiswch gyfeiriad, neu “Nid yw fy nghyfeiriad ar y rhestr”
address_line1-required = Rhowch linell gyfeiriad 1, fel arfer yr adeilad a’r stryd
town-required = Rhowch dref neu ddinas
country-required = Rhowch wlad y cyfeiriad
mobile-format = Rhowch rif ffôn, fel 01632 960 001, 07700 900 982 neu +44 808 157 0192
work_phone-format = Rhowch rif ffôn, fel 01632 960 001, 07700 900 982 neu +44 808 157 0192
code-required = Rhowch eich cod dilysu
code-too_short = Nid ydych wedi rhoi digon o rifau, rhaid i’r cod gynnwys { $n } rhif
code-too_long = Rydych wedi rhoi gormod o rifau, rhaid i’r cod gynnwys { $n } rhif
code-letters = Rhaid i’r cod fod yn { $n } rhif
code-wrong =
    { $n ->
        [two] Nid yw’r cod hwnnw’n gywir. Mae gennych { $n } gynnig ar ôl.
        [few] Nid yw’r cod hwnnw’n gywir. Mae gennych { $n } chynnig ar ôl.
        [many] Nid yw’r cod hwnnw’n gywir. Mae gennych { $n } chynnig ar ôl.
       *[other] Nid yw’r cod hwnnw’n gywir. Mae gennych { $n } cynnig ar ôl.
    }
code-expired = Mae’r cod wedi dod i ben. Rydym wedi anfon un newydd.
code-other_browser = Rhowch y cod yn y porwr lle gwnaethoch fewngofnodi
code-too_many_wrong = Gormod o godau anghywir. Ailosodwch eich cyfrinair i fewngofnodi eto.
link-required = Gludwch y ddolen gyfan o’r e-bost
resend-wait = Arhoswch { $n } eiliad, yna anfonwch eto
throttle-minutes =
    { $n ->
        [two] Gormod o gynigion. Arhoswch { $n } funud neu ailosodwch eich cyfrinair.
       *[other] Gormod o gynigion. Arhoswch { $n } munud neu ailosodwch eich cyfrinair.
    }

## Rheolau cyfrinair

rules-title = Rhowch gyfrinair
rules-progress = { $met } o’r { $all } rheol ar gyfer cyfrinair wedi’u bodloni
rule-length = O leiaf { $least } nod a dim mwy na { $most }
rule-digits =
    { $least ->
        [two] O leiaf { $least } rif
       *[other] O leiaf { $least } rhif
    }
rule-lower =
    { $least ->
        [two] O leiaf { $least } lythyren fach
       *[other] O leiaf { $least } llythyren fach
    }
rule-upper =
    { $least ->
        [one] O leiaf { $least } brif lythyren
        [two] O leiaf { $least } brif lythyren
        [many] O leiaf { $least } phrif lythyren
       *[other] O leiaf { $least } prif lythyren
    }
rule-special = O leiaf { $least } nod arbennig
rule-username = Ni chaiff fod yr un fath â’r enw defnyddiwr
rule-case = Mae cyfrineiriau’n gwahaniaethu rhwng llythrennau mawr a bach
broken-too-little = Rhaid i’r cyfrinair gynnwys o leiaf { $missing }
broken-barred = Ni chaiff y cyfrinair { $barred }
broken-both = Rhaid i’r cyfrinair gynnwys o leiaf { $missing }, ac ni chaiff { $barred }
list-and = { $items }, { $last }
list-or = { $items } neu { $last }
missing-characters = { $n } nod
missing-digits =
    { $n ->
        [two] { $n } rif
       *[other] { $n } rhif
    }
missing-lower =
    { $n ->
        [two] { $n } lythyren fach
       *[other] { $n } llythyren fach
    }
missing-upper =
    { $n ->
        [one] { $n } brif lythyren
        [two] { $n } brif lythyren
        [many] { $n } phrif lythyren
       *[other] { $n } prif lythyren
    }
missing-special = { $n } nod arbennig
barred-too_long = fod yn hirach na { $n } nod
barred-too_many_bytes = fod yn hirach na { $n } beit
barred-control = gynnwys nodau cudd
barred-is_username = fod yr un fath â’r enw defnyddiwr
barred-context = gynnwys eich enw, eich cyfeiriad e-bost, enw’r gwasanaeth neu air gwaharddedig arall
barred-common = fod yn gyfrinair a ddefnyddir yn aml
barred-breached = fod yn gyfrinair sy’n hysbys o doriad data

## Tudalen flaen, mewngofnodi, allgofnodi ar ôl amser (P1, P2, P28)

home-title = Hafan
home-welcome = Croeso i { $service }
login-title = Mewngofnodi
login-button = Mewngofnodi
login-no-account = Dim cyfrif gennych? <a href="{ $register }">Cofrestrwch</a>
login-forgotten = Wedi anghofio’ch cyfrinair?
logged-out = Rydych wedi allgofnodi.
email-changed = Mae eich cyfeiriad e-bost wedi'i newid. Mewngofnodwch gydag ef.
account-closed = Mae eich cyfrif wedi’i gau. Nes iddo gael ei ddileu, bydd y ddolen yn yr e-bost rydym wedi’i anfon atoch yn dod ag ef yn ôl.
account-restored = Mae eich cyfrif wedi’i adfer. Mewngofnodwch.
two-step-on = Mae Dilysu Dau Gam ymlaen. Mewngofnodwch eto.
two-step-off = Mae Dilysu Dau Gam wedi’i ddiffodd. Mewngofnodwch eto.
took-too-long = Mewngofnodwch eto, aeth gormod o amser heibio.
tries-used = Mae pob cynnig ar gyfer y cod hwnnw wedi’i ddefnyddio. Mewngofnodwch eto i gael un newydd.
timed-out-title = Rydych wedi cael eich allgofnodi
timed-out-lead = Cawsoch eich allgofnodi ar ôl { $limit } heb weithgarwch.
timed-out-longest = Cawsoch eich allgofnodi { $longest } ar ôl i chi fewngofnodi.
timed-out-saved = Bydd yr hyn roeddech wedi’i deipio yn cael ei gadw am 24 awr.

## Cod dilysu (P3) a Chadarnhau (P32)

verify-title = Cod dilysu wedi’i anfon
verify-lead = Mae eich cod dilysu wedi’i anfon. Rhowch eich cod dilysu i barhau.
verify-sent = Gwnaethom ei anfon at <strong>{ $email }</strong> am { $sent }. Mae’n gweithio tan { $until }.
verify-button = Dilysu
verify-resend = Anfon y cod eto
verify-resent = Rydym wedi anfon y cod eto.
verify-different = Defnyddio cyfrif arall
verify-trouble = Nid wyf yn gallu cael y cod
verify-trouble-junk = Edrychwch yn y ffolder sothach: caiff negeseuon awtomatig eu hidlo weithiau.
verify-trouble-shared = Os oes sawl person yn darllen y blwch post, gofynnwch a yw’r neges gan un ohonynt.
verify-trouble-write = Dim byd o hyd? Ysgrifennwch at { $contact }.
verify-expired = Mae’r cod wedi dod i ben. Mewngofnodwch eto i gael un newydd.
verify-no-more = Rydym wedi anfon y cod gynifer o weithiau ag y gallwn. Mewngofnodwch eto i gael un newydd.
confirm-title = Cadarnhewch mai chi sydd yno
confirm-lead = Rydych ar fin newid rhywbeth sy’n diogelu eich cyfrif, felly gofynnwn am eich cyfrinair eto. Wedyn byddwch yn dychwelyd i’r lle roeddech chi.
confirm-last-try = Dyna’r cynnig olaf ar gyfer y cod hwn. Rhowch eich cyfrinair i gael un newydd.
confirm-too-long = Aeth gormod o amser heibio. Rhowch eich cyfrinair eto.

## Cofrestru (P4 i P8)

register-title = Cofrestru
security-title = Manylion Diogelwch
security-lead = Cofrestrwch unwaith i ddefnyddio’r porth. Mae tri cham byr yn gofyn am yr hyn sydd ei angen arnom. Mae cymorth o dan bob maes.
security-email-hint = Eich cyfeiriad gwaith chi eich hun. Byddwn yn ei ddefnyddio i’ch mewngofnodi ac i anfon codau.
security-email2-hint = Mae croeso i chi ei ludo
security-password-set = Mae cyfrinair wedi’i osod. Gadewch y maes yn wag i’w gadw.
security-question-first = Dewiswch gwestiwn
question-own = Fy nghwestiwn fy hun
own-question-hint = Dim ond os byddwch yn dewis “Fy nghwestiwn fy hun”. Gofynnwch rywbeth rydych yn ei gofio ac na all neb arall ei ganfod, mewn 10 i 100 nod.
security-answer-hint = Nid yw priflythrennau, acenion na bylchau ychwanegol yn gwneud gwahaniaeth. Peidiwch â defnyddio eich cyfrinair.
security-answer-set = Mae ateb wedi’i osod. Gadewch y maes yn wag i’w gadw.
draft-expired = Dechreuwch eto: rydym yn cadw ffurflenni anorffenedig am 2 awr.
about-title = Amdanoch chi
about-lead = Defnyddiwch eich manylion eich hun, nid enw eich ysgol neu’ch lleoliad.
address-did-you-mean = Ai { $address } oeddech chi’n ei olygu?
address-personal = Mae hwn yn edrych fel cyfeiriad personol. Defnyddiwch eich cyfeiriad e-bost gwaith lle bo modd: nid argymhellir cyfeiriadau personol.
address-change = Newid y cyfeiriad
address-use-anyway = Defnyddio’r cyfeiriad hwn beth bynnag
about-title-hint = Dewiswch un neu teipiwch eich un eich hun
about-titles = Dr|Miss|Mr|Mrs|Ms|Mx|Yr Athro|Parch|Mae’n well gen i beidio â dweud
about-gender-hint = Gofynnwn er mwyn gallu eich cyfarch yn gywir. Dim ond chi a gweinyddwyr y porth fydd yn gweld hyn.
gender-female = Benyw
gender-male = Gwryw
gender-another = Arall
gender-undisclosed = Mae’n well gen i beidio â dweud
work-title = Manylion Gwaith
work-role-hint = Dechreuwch deipio a dewiswch eich rôl, neu teipiwch hi’n llawn
work-roles = Rolau
work-roles-one = 1 rôl yn cyfateb
work-roles-other = { $n } rôl yn cyfateb
work-address-lead = Rhowch god post eich gwaith a phwyswch “Dod o hyd i gyfeiriad”. Ddim ar y rhestr? Pwyswch “Rhoi’r cyfeiriad â llaw” a’i deipio.
work-find = Dod o hyd i gyfeiriad
work-manual = Rhoi’r cyfeiriad â llaw
work-choose = Dewiswch gyfeiriad
work-found = (nifer: { $n })
work-not-listed = Nid yw fy nghyfeiriad ar y rhestr
work-not-found = Nid oeddem yn gallu dod o hyd i’r cod post hwnnw. Rhowch y cyfeiriad eich hun.
work-search-down = Nid yw’r chwiliad cyfeiriadau’n gweithio. Rhowch y cyfeiriad eich hun.
work-not-uk = Cyfeiriad y tu allan i’r DU
work-phone-lead = Rydym yn argymell eich bod yn rhoi un rhif.
work-phone-hint = Rhif lle gallwn gael gafael arnoch yn ystod oriau swyddfa, os bydd angen.
work-more-roles = Gallwch ychwanegu rôl broffesiynol arall yn “Fy Nghyfrif” ar ôl cofrestru.
work-submit = Cyflwyno’r cofrestriad
check-title = Gwiriwch eich atebion
check-lead = Nid oes dim yn cael ei anfon nes i chi bwyso “Cyflwyno’r cofrestriad”.
check-set = Wedi’i osod
check-not-given = Heb ei roi
check-address = Cyfeiriad
already-sent-title = Rydych eisoes wedi anfon y cofrestriad hwn
already-sent-lead = Ni anfonwyd dim ddwywaith. Parhewch yma:
already-sent-login = Mewngofnodi
already-sent-next = Beth i’w wneud nesaf

## Y ddolen (P9 i P12)

sent-title = Gwiriwch eich e-bost
sent-lead = Rydym wedi anfon dolen at <strong>{ $email }</strong>. Defnyddiwch hi cyn { $until } ({ $lifetime }).
sent-lead-elsewhere = Ar ôl i chi gofrestru byddwn yn anfon dolen drwy e-bost. Mae’n gweithio am { $lifetime }.
sent-not-there = Os na fydd yn cyrraedd
sent-junk = Edrychwch yn y ffolder sothach os nad oes dim wedi cyrraedd ar ôl 30 munud.
sent-allow = Gofynnwch i’ch gweinyddwr e-bost ganiatáu negeseuon gan <strong>{ $sender }</strong>.
sent-then = Yna anfonwch y ddolen eto, neu defnyddiwch gyfeiriad arall.
sent-wait = Gallwch ei hanfon eto am { $until }.
sent-wait-one = Gallwch ei hanfon eto ymhen 1 eiliad.
sent-wait-other = Gallwch ei hanfon eto ymhen { $n } eiliad.
sent-wait-over = Gallwch ei hanfon eto nawr.
sent-email-hint = Yr un a ddefnyddiwyd gennych i gofrestru
sent-again = Anfon y ddolen eto
sent-different = Defnyddio cyfeiriad e-bost arall
sent-done = Rydym wedi anfon y ddolen eto.
sent-asked = Os oes cofrestriad yn aros am y cyfeiriad hwn, mae e-bost ar ei ffordd.
complete-title = Cadarnhewch eich cyfeiriad e-bost
complete-lead = Mae’r ddolen hon yn cadarnhau <strong>{ $email }</strong>. Rhowch eich cyfrinair i gwblhau’r cofrestriad.
complete-password-hint = yr un a ddewiswyd gennych wrth gofrestru
complete-button = Cwblhau’r cofrestriad
complete-not-mine-hint = Wedi’i anghofio, neu a wnaeth rhywun arall gofrestru’r cyfeiriad hwn? Dechreuwch eto: mae’r cyfeiriad yn cyfrif fel un sydd wedi’i gadarnhau, ac ni chedwir dim o’r cofrestriad cynharach.
complete-not-mine = Nid fi ddewisodd y cyfrinair hwn
complete-breached = Mae’r cyfrinair hwn yn hysbys o doriad data. Dewiswch un arall gyda’r botwm “Nid fi ddewisodd y cyfrinair hwn”
complete-prepared-lead = Mae’r ddolen hon yn cadarnhau <strong>{ $email }</strong>. Mae gweinyddwr wedi paratoi eich cofrestriad: dewiswch eich cyfrinair eich hun, yna gwiriwch eich manylion.
complete-prepared-button = Dewiswch eich cyfrinair
complete-wrong =
    { $n ->
        [two] Nid yw’r cyfrinair yn gywir. Mae gennych { $n } gynnig ar ôl.
        [few] Nid yw’r cyfrinair yn gywir. Mae gennych { $n } chynnig ar ôl.
        [many] Nid yw’r cyfrinair yn gywir. Mae gennych { $n } chynnig ar ôl.
       *[other] Nid yw’r cyfrinair yn gywir. Mae gennych { $n } cynnig ar ôl.
    }
registered-title = Diolch am gofrestru
registered-lead = Mae eich cyfeiriad e-bost wedi’i gadarnhau ac mae eich cofrestriad wedi’i gwblhau.
registered-username = Eich cyfeiriad e-bost yw eich enw defnyddiwr.
registered-username-is = Eich cyfeiriad e-bost, <strong>{ $email }</strong>, yw eich enw defnyddiwr.
registered-two-step = Mae angen Dilysu Dau Gam ar gyfer rhai rhannau o’r porth. Gallwch ei droi ymlaen yn “Fy Nghyfrif” ar ôl mewngofnodi.
registered-two-step-optional = Gallwch wneud eich cyfrif yn fwy diogel gyda Dilysu Dau Gam: cod y byddwn yn ei anfon atoch drwy e-bost bob tro y byddwch yn mewngofnodi. Gallwch ei droi ymlaen yn “Fy Nghyfrif” ar ôl mewngofnodi.
registered-two-step-all = Bob tro y byddwch yn mewngofnodi, byddwn yn anfon cod dilysu atoch drwy e-bost. Rhowch ef i orffen mewngofnodi.
link-expired-title = Nid yw’r ddolen hon yn gweithio mwyach
link-expired-lead = Peidiodd y ddolen hon â gweithio am { $stopped }. Mae dolenni’n para { $lifetime }.
link-expired-kept = Mae’r hyn a roddwyd gennych yn dal yma. Bydd dolen newydd yn dod i’r un cyfeiriad.
link-expired-renew = Anfon dolen newydd
link-expired-over = Rydym yn cadw cofrestriad anorffenedig am 24 awr arall, ac mae’r amser hwnnw wedi dod i ben hefyd.
link-register = Cofrestru
link-over-title = Nid oes modd cwblhau’r cofrestriad hwn mwyach
link-over-lead = Nid oes modd cwblhau’r cofrestriad hwn mwyach. <a href="{ $login }">Mewngofnodwch</a>, neu <a href="{ $register }">cofrestrwch</a> eto.
link-replaced-title = Rydym wedi anfon dolen fwy newydd
link-replaced-lead = Rydym wedi anfon dolen fwy newydd i’r un cyfeiriad. Agorwch yr e-bost diweddaraf gennym a defnyddiwch y ddolen sydd ynddo.
link-replaced-missing = Ni chyrhaeddodd yr e-bost
link-unknown-title = Gwiriwch fod y ddolen gyfan wedi’i chopïo
link-unknown-lead = Gwiriwch fod y ddolen gyfan wedi’i chopïo. Weithiau bydd rhaglenni e-bost yn torri dolen hir yn ddwy.
link-unknown-hint = Copïwch hi o’r e-bost a’i gludo yma
link-unknown-open = Agor y ddolen
link-unknown-else = Dim e-bost wrth law? <a href="{ $login }">Mewngofnodwch</a> neu <a href="{ $register }">cofrestrwch</a>.

## Hafan, yr adran dan glo, Dilysu Dau Gam (P15, P16, P23)

signed-in-welcome = Croeso, { $forename }
signed-in-missing = Rhowch wybod i ni beth yw eich { $what } er mwyn parhau
missing-personal = manylion personol
missing-work = manylion gwaith
missing-role = rôl broffesiynol
signed-in-last = Mewngofnodi diwethaf: { $when }
signed-in-last-with = { $when } gyda { $browser }
tile-area = Asesiadau Cymorth Cynnar, a chyngor ar gyfer Cynlluniau Addysg, Iechyd a Gofal.
tile-account = Eich manylion, a sut rydych yn mewngofnodi.
area-name = SEND (EHCP) a Chymorth Cynnar (EHAT)
area-lead = Rydych wedi mewngofnodi gyda Dilysu Dau Gam.
area-closed-title = Mae angen Dilysu Dau Gam yma
area-closed-lead = Mae { $area } yn cadw cofnodion sensitif am blant, felly nid yw cyfrinair ar ei ben ei hun yn ddigon i’w agor.
area-closed-how = Gyda Dilysu Dau Gam byddwn yn anfon cod atoch drwy e-bost bob tro y byddwch yn mewngofnodi. Dim ond munud mae’n ei gymryd i’w droi ymlaen: byddwch yn ei ddewis, yn mewngofnodi eto gyda chod, ac yn dod yn ôl yma.
area-closed-turn-on = Troi Dilysu Dau Gam ymlaen
area-closed-back = Yn ôl i’r hafan
two-step-title = Dilysu Dau Gam
two-step-lead = Mae ail gam yn cadw eich data’n fwy diogel: os daw rhywun i wybod eich cyfrinair, ni fydd yn gallu mewngofnodi er hynny.
two-step-how = Tra bydd ymlaen, byddwn yn anfon cod atoch drwy e-bost bob tro y byddwch yn mewngofnodi, a byddwch yn ei roi ar ôl eich cyfrinair.
two-step-areas = Dim ond tra bydd ymlaen y bydd y rhannau hyn yn agor:
two-step-email = E-bost
two-step-none = Dim Dilysu Dau Gam
two-step-signs-out = Bydd cadw newid yn eich allgofnodi. Mewngofnodwch eto wedyn.
two-step-choose = Dewiswch y dull sydd orau gennych
nothing-changed = Ni newidiwyd dim.

## Dewislen Fy Nghyfrif, yn ôl rhan olaf pob llwybr

menu-personal-details = Manylion Personol
menu-work-details = Manylion Gwaith
menu-change-email-address = Newid Cyfeiriad E-bost
menu-change-password = Newid Cyfrinair
menu-change-secret-question = Newid Cwestiwn Cyfrinachol
menu-two-step-verification = Dilysu Dau Gam
menu-change-of-circumstances = Newid mewn Amgylchiadau
menu-sessions = Ble rydych wedi mewngofnodi
menu-activity = Gweithgarwch y cyfrif
menu-your-data = Lawrlwytho neu gau’r cyfrif
menu-administration = Gweinyddu

## Problemau (P24)

problem-not-found = Heb ddod o hyd i’r dudalen
problem-not-found-lead = Os gwnaethoch deipio’r cyfeiriad, gwiriwch ef. Os gwnaethoch ddilyn dolen, efallai fod y dudalen wedi symud.
problem-other-site = Daeth y ffurflen hon o wefan arall
problem-other-site-lead = Er eich diogelwch ni wnaed dim. Agorwch y dudalen yma a’i hanfon eto.
problem-other-site-ask = Os na ddaethoch o wefan arall, gofynnwch i { $contact }.
problem-unreadable = Nid oedd modd i ni ddarllen hynny
problem-unreadable-lead = Nid oedd modd darllen yr hyn a anfonodd eich porwr. Ni chadwyd dim. Ewch yn ôl, agorwch y dudalen eto, a’i anfon unwaith yn rhagor.
problem-too-large = Mae hynny’n rhy fawr i’w anfon
problem-too-large-lead = Gall un dudalen anfon hyd at { $limit }. Ewch yn ôl, byrhau’r hyn a deipiwyd gennych, a’i anfon eto. Ni chadwyd dim.
problem-other-address = Mae gan y gwasanaeth gyfeiriad arall
problem-other-address-lead = Does dim i’w weld yn y cyfeiriad a ddefnyddiwyd gennych. Agorwch y gwasanaeth yma:
problem-too-many = Gormod o gynigion
problem-too-many-lead =
    { $n ->
        [two] Gormod o gynigion. Arhoswch { $n } funud neu <a href="{ $reset }">ailosodwch eich cyfrinair</a>.
       *[other] Gormod o gynigion. Arhoswch { $n } munud neu <a href="{ $reset }">ailosodwch eich cyfrinair</a>.
    }
problem-too-many-why = Mae hyn yn atal pobl eraill rhag dyfalu eu ffordd i mewn.
problem-broken = Mae problem gyda’r gwasanaeth
problem-broken-lead = Aeth rhywbeth o’i le ar ein hochr ni. Rhowch gynnig arall arni ymhen ychydig funudau.
problem-broken-tell = Os bydd hyn yn digwydd eto, rhowch y cyfeirnod hwn i { $contact }: <strong class="reference">{ $reference }</strong>
problem-unavailable = Nid yw’r gwasanaeth ar gael
problem-unavailable-until = Disgwyliwn fod yn ôl am { $until }.
problem-unavailable-soon = Disgwyliwn fod yn ôl ymhen ychydig funudau.
problem-typed = Mae’r hyn a deipiwyd gennych ar y dudalen hon, heblaw am gyfrineiriau ac atebion.
problem-try-again = Rhoi cynnig arall arni
problem-go-home = Mynd i’r hafan
problem-back-to-login = Yn ôl i’r dudalen fewngofnodi

## Cyfrinair wedi’i anghofio (P13, P14)

forgot-title = Wedi anghofio’ch cyfrinair?
forgot-lead = Rhowch y cyfeiriad e-bost yr ydych yn mewngofnodi ag ef. Anfonwn ddolen ato i chi ddewis cyfrinair newydd.
forgot-send = Anfon dolen ailosod
forgot-always = Os oes gan y cyfeiriad gyfrif, mae e-bost ar ei ffordd. Mae’r ddolen yn gweithio am { $lifetime }.
forgot-no-email = Nid yw’r e-bost yn cyrraedd
forgot-no-email-check = Edrychwch yn y ffolder sothach, a gwiriwch mai dyma’r cyfeiriad y gwnaethoch gofrestru ag ef. Mae gofyn eto’n anfon yr un ddolen, unwaith y funud ar y mwyaf.
forgot-no-email-write = Os nad oes dim yn helpu, ysgrifennwch at { $contact }. Peidiwch byth ag anfon cyfrinair, cod na’r ateb i’ch cwestiwn cyfrinachol: nid oes ar neb yma eu hangen.
reset-title = Ailosod eich cyfrinair
reset-answer-lead =
    { $n ->
        [two] Cam 1 o 2. Atebwch y cwestiwn a ddewisoch wrth gofrestru. Mae gennych { $n } gynnig.
        [few] Cam 1 o 2. Atebwch y cwestiwn a ddewisoch wrth gofrestru. Mae gennych { $n } chynnig.
        [many] Cam 1 o 2. Atebwch y cwestiwn a ddewisoch wrth gofrestru. Mae gennych { $n } chynnig.
       *[other] Cam 1 o 2. Atebwch y cwestiwn a ddewisoch wrth gofrestru. Mae gennych { $n } cynnig.
    }
reset-answer-hint = Nid yw priflythrennau, acenion na bylchau ychwanegol yn gwneud gwahaniaeth.
reset-question-gone = Nid yw’r cwestiwn a ddewisoch yn cael ei gynnig mwyach, ond mae eich ateb yn dal i gyfrif.
reset-answer-again = Atebwch eto: aeth gormod o amser heibio, neu gwnaethoch ateb mewn porwr arall.
answer-wrong =
    { $n ->
        [two] Nid yw’r ateb cyfrinachol yn gywir. Mae gennych { $n } gynnig ar ôl.
        [few] Nid yw’r ateb cyfrinachol yn gywir. Mae gennych { $n } chynnig ar ôl.
        [many] Nid yw’r ateb cyfrinachol yn gywir. Mae gennych { $n } chynnig ar ôl.
       *[other] Nid yw’r ateb cyfrinachol yn gywir. Mae gennych { $n } cynnig ar ôl.
    }
reset-cannot = Ni allaf ateb hwn
reset-cannot-delayed = Wedi anghofio’r ateb? Gallwch osod cyfrinair newydd hebddo ar ôl { $delay }. Tan hynny byddwn yn dweud wrthych drwy e-bost fod rhywun wedi gofyn, ac mae mewngofnodi â’ch cyfrinair yn ei ganslo.
reset-cannot-waits = Rydych wedi gofyn am ailosod heb yr ateb. Am { $until } anfonwn ddolen atoch i osod cyfrinair newydd. Mae mewngofnodi â’ch cyfrinair yn ei ganslo.
reset-cannot-write = Ysgrifennwch at { $contact } o’r cyfeiriad e-bost y gwnaethoch gofrestru ag ef. Gallant anfon dolen atoch nad yw’n gofyn am ateb.
reset-password-title = Dewis cyfrinair newydd
reset-password-lead = Mae ei gadw’n eich allgofnodi ym mhobman. Yna mewngofnodwch ag ef.
password-reset = Mae eich cyfrinair wedi’i newid. Mewngofnodwch ag ef.
reset-paused-title = Mae ailosod eich cyfrinair wedi’i oedi
reset-paused-lead = Roedd yr ateb cyfrinachol yn anghywir ormod o weithiau, felly rydym yn diogelu eich cyfrif.
reset-paused-until = Gallwch ofyn am ddolen newydd ar ôl { $until }.
reset-paused-write = Dim ond gweinyddwr all helpu nawr. Ysgrifennwch at { $contact } o’r cyfeiriad e-bost y gwnaethoch gofrestru ag ef.
reset-paused-log-in = Nid yw eich cyfrinair wedi’i newid. Os ydych yn ei gofio, <a href="{ $login }">mewngofnodwch</a>.
recovery-banner = Gofynnodd rhywun am ailosod eich cyfrinair heb yr ateb cyfrinachol. Daw i rym am { $due }. Os nad chi oedd hyn, canslwch ef.
recovery-cancel = Canslo’r ailosod
recovery-title = Canslo ailosod eich cyfrinair
recovery-lead = Gofynnodd rhywun am ailosod eich cyfrinair heb yr ateb cyfrinachol. Daw i rym am { $due }. I’w ganslo, rhowch y cyfeiriad e-bost yr aeth ein neges iddo ({ $email }).
recovery-other-address = Rhowch y cyfeiriad e-bost yr aeth ein neges iddo
recovery-cancelled = Mae’r ailosod wedi’i ganslo. Mae eich cyfrinair fel yr oedd.

## Cymorth (P31)

help-title = Cymorth
help-lead = Angen help? Ysgrifennwch at { $contact }. Peidiwch byth ag anfon cyfrinair neu god.
help-no-email = Ni chyrhaeddodd yr e-bost
help-no-email-text = Caiff negeseuon awtomatig eu hidlo weithiau. Edrychwch yn y ffolder sothach ar ôl 30 munud, a gofynnwch i’ch gweinyddwr e-bost ganiatáu negeseuon gan <strong>{ $sender }</strong>.
help-link = Nid yw’r ddolen yn gweithio
help-link-text = Mae dolenni i gwblhau cofrestriad yn para { $lifetime }. Gall y dudalen y mae hen ddolen yn ei hagor anfon un newydd atoch. Os torrwyd y ddolen yn ddwy, copïwch y cyfan ohoni.
help-code = Nid yw’r cod yn gweithio
help-code-text = Mae cod dilysu’n gweithio am { $lifetime }, yn y porwr lle gwnaethoch fewngofnodi. Nid yw bylchau na chysylltnodau’n gwneud gwahaniaeth.
help-logged-out = Cawsoch eich allgofnodi
help-logged-out-text = Er eich diogelwch rydym yn eich allgofnodi ar ôl { $limit } heb weithgarwch. Cadwch eich gwaith yn rheolaidd.
help-log-in = Nid ydych yn gallu mewngofnodi
help-log-in-text = Mae cyfrineiriau’n gwahaniaethu rhwng llythrennau mawr a bach. <a href="{ $forgotten }">Wedi anghofio’ch cyfrinair?</a>
help-ehat = Canllawiau Porth EHAT
help-ehat-text = Yma y cwblheir asesiadau Cymorth Cynnar (EHAT): yr asesiad, y cynllun a’r canlyniadau y mae’n anelu atynt, a’i adolygiad. Mewngofnodwch ac agorwch <a href="{ $area }">{ $name }</a>. Os bydd y dudalen honno’n gofyn am Ddilysu Dau Gam yn gyntaf, mae’n dangos sut i’w droi ymlaen. Cadwch eich gwaith yn aml wrth ysgrifennu.
help-send = Canllawiau Porth SEND
help-send-text = Anfonir cynigion a chyngor ar gyfer Cynlluniau Addysg, Iechyd a Gofal (EHCP) o’r un lle: mewngofnodwch ac agorwch <a href="{ $area }">{ $name }</a>.

## Y cwestiynau sy’n dod gyda’r porth; dangosir cwestiynau gosodiad fel y maent yn ei ffeil

ask-first-car = Model eich car cyntaf?
ask-first-pet = Enw eich anifail anwes cyntaf?
ask-first-street = Y stryd lle roeddech yn byw pan oeddech yn blentyn?
ask-first-school = Yr ysgol gyntaf y buoch ynddi?
ask-childhood-friend = Enw eich ffrind gorau pan oeddech yn blentyn?
ask-first-job = Y dref lle roedd eich swydd gyntaf?
ask-first-concert = Y cyngerdd cyntaf y buoch ynddo?
ask-favourite-teacher = Cyfenw athro neu athrawes roeddech yn hoff ohono neu ohoni?
ask-grandparent-town = Y dref lle ganwyd un o’ch neiniau neu’ch teidiau?
ask-first-holiday = Y lle cyntaf i chi fynd iddo ar wyliau?
