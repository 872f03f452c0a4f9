"""Words for the lead, and for everybody else whom a payload may name, in the languages of forms and call trackers."""

import re

from server.foreign.words import spelt


def words(text: str) -> frozenset[str]:
    """The words as names are spelt: small, without accents."""
    return frozenset(spelt(word) for word in text.split())


# Who asks or calls. A stranger's word that stands further out yields to these.
LEADS = words(
    "customer client lead leads caller buyer borrower patient applicant prospect consumer homeowner purchaser shopper"
    " guest visitor attendee registrant respondent submitter requester requestor enquirer inquirer subscriber student"
    " policyholder insured debtor claimant donor renter lessee resident traveler traveller passenger calling external"
    " remote ani cli clid"
    " cliente comprador paciente solicitante prospecto llamante interesado clienta"
    " acheteur demandeur appelant cliente"
    " kunde kunden kundin kaufer patienten antragsteller bewerber anrufer interessent interessenten"
    " acquirente paziente richiedente chiamante"
    " klant klanten koper beller kund kunds kunder asiakas asiakkaan klient klienta"
    " клиент клиента покупатель покупателя пациент пациента"
)
# These too, but everybody has contact data, and a sender is whoever sends.
WEAK = words("contact from sender person src callerid contacto contato contatto kontakt контакт")

STRANGERS = words(
    # Organisations and their places.
    "company business biz organization organisation org corp corporate corporation firm enterprise employer office hq"
    " headquarter headquarters branch store shop location site venue facility clinic hospital hotel restaurant agency"
    " franchise franchisee franchisor outlet warehouse department dept division team listing property vendor supplier"
    " school merchant retailer manufacturer brand sponsor account workspace portal publisher affiliate partner reseller"
    " distributor wholesaler advertiser network brokerage bureau"
    " pharmacy bank carrier police lab laboratory university college church garage towing"
    # People who work there, and who deal with the lead.
    " agent rep representative owner user assigned assignee staff employee operator advisor adviser consultant manager"
    " mgr supervisor director executive ceo boss salesperson salesman salesrep sales seller broker realtor attorney"
    " lawyer solicitor adjuster dealer dealership contractor installer technician landlord lender insurer doctor"
    " physician dentist provider officer originator processor underwriter counselor counsellor coach trainer teacher"
    " instructor tutor recruiter dispatcher coordinator setter closer specialist handler csr sdr bdr attendant"
    " assistant secretary paralegal notary judge accountant bookkeeper banker inspector appraiser engineer architect"
    " mechanic plumber electrician surgeon nurse therapist veterinarian caregiver caretaker carer nanny pharmacist"
    " concierge receptionist reception admin administrator moderator webmaster editor author creator createdby approver"
    " reviewer inviter referrer referer referral referred reference referee introducer host hoster colleague coworker"
    # Who is close to the lead.
    " spouse husband wife mother father parent guardian child son daughter brother sister sibling relative kin friend"
    " neighbor neighbour roommate emergency beneficiary dependent dependant cosigner guarantor witness coapplicant"
    " coborrower cobuyer"
    " girlfriend boyfriend fiance fiancee grandmother grandfather grandparent grandson granddaughter aunt uncle cousin"
    " niece nephew stepmother stepfather stepson stepdaughter mom mum dad"
    # The other end of a call, and numbers that machines own.
    " tracking tracked tracker destination dest dst dialed dialled called callee recipient receiver receiving target"
    " transfer transferred forward forwarded forwarding routed routing ringto answering answered dnis did ddi to pool"
    " virtual trunk proxy masked swap displayed internal ivr pbx queue campaign adgroup promo marketing support"
    " helpdesk hotline helpline tollfree callcenter callcentre switchboard system twilio callrail fax telefax pager"
    # Spanish, Portuguese
    " empresa compania negocio oficina agente asesor vendedor vendedora propietario dueno gerente empleado tienda"
    " sucursal proveedor usuario cuenta ventas soporte equipo destino conyuge esposo esposa emergencia jefe ubicacion"
    " escritorio corretor proprietario dono funcionario loja filial fornecedor conta vendas suporte equipe conjuge"
    " atendente responsavel responsable empregador empleador agencia inmobiliaria imobiliaria"
    " padre madre hermano hermana hijo hija familiar pariente abuelo abuela novio novia vecino medico abogado contador"
    " secretaria referencia referido banco farmacia policia"
    " mae irmao irma filho filha marido namorado namorada vizinho parente advogado indicacao recado"
    # French
    " entreprise societe compagnie agence conseiller conseillere vendeur vendeuse proprietaire gerant employe magasin"
    " boutique fournisseur utilisateur compte ventes destinataire conjoint urgence employeur commercial courtier"
    " mere pere frere soeur fils fille mari femme epoux epouse voisin parrain medecin avocat notaire secretaire banque"
    " pharmacie"
    # German
    " firma firmen unternehmen unternehmens geschaft geschafts buro buros berater beraterin makler maklerin vertreter"
    " verkaufer vertrieb vertriebs inhaber eigentumer besitzer mitarbeiter filiale niederlassung standort lieferant"
    " benutzer nutzer konto abteilung zentrale notfall ehepartner ehefrau ehemann arbeitgeber empfanger betreuer"
    " sachbearbeiter vermieter dienststelle"
    " mutter vater eltern bruder schwester sohn tochter ehegatte partnerin nachbar freund freundin angehoriger"
    " angehorigen vormund arzt arztin hausarzt anwalt anwaltin rechtsanwalt steuerberater hausverwaltung sekretariat"
    " apotheke"
    # Italian
    " azienda impresa ufficio consulente venditore titolare dipendente negozio sede fornitore utente vendite"
    " assistenza destinatario coniuge emergenza responsabile agenzia datore societa"
    " moglie marito fratello sorella figlio figlia nonno nonna vicino amico amica avvocato commercialista segreteria"
    " banca"
    # Dutch
    " bedrijf bedrijfs kantoor adviseur makelaar verkoper eigenaar medewerker winkel filiaal vestiging leverancier"
    " gebruiker afdeling werkgever noodgeval"
    " moeder vader broer zoon dochter echtgenoot echtgenote vriend vriendin huisarts advocaat"
    # Swedish, Danish, Norwegian, Finnish
    " foretag foretags kontor saljare agare butik anstalld virksomhed bedrift selger saelger ejer eier arbetsgivare"
    " yritys yrityksen toimisto toimiston myyja omistaja"
    " mamma pappa moder fader lakare laege lege advokat aiti laakari asianajaja"
    # Polish
    " firmy biuro biura sprzedawca własciciel pracownik sklep pracodawca"
    " matka matki ojciec ojca zony meza siostra siostry lekarz lekarza adwokat"
    # Russian
    " компания компании фирма офис офиса агент агента менеджер менеджера продавец владелец сотрудник сотрудника"
    " магазин филиал работодатель пользователь организация организации"
    " мать матери отец отца муж мужа жена жены брат брата сестра сестры врач врача адвокат адвоката родственник"
    " родственника"
)
# Records whose contact is the lead.
RECORDS = frozenset({"account", "campaign"})

# In a sentence these mean nothing of the kind.
SMALL = frozenset({"to", "did"})

# What the names of values are called by.
NOUNS = words(
    "phone number phonenumber telephone tel telno phoneno phonenum mobile mobileno cell cellphone cellular landline"
    " fone whatsapp sms msisdn callerid email mail emailaddress address name firstname lastname fullname city zip"
    " line digits num e164 formatted home work direct main primary crm"
    " telefon telefonnummer nummer rufnummer handy handynummer mobil mobilnummer mobiltelefon telefono celular movil"
    " numero telefone portable telefoonnummer telefoon puhelin puhelinnumero телефон номер adresse nom nombre"
)

# Languages that write words without blanks.
CJK_STRANGERS = (
    "公司 企业 企業 办公室 辦公室 经纪人 經紀人 代理 销售 銷售 店铺 店舖 门店 商家 员工 紧急 緊急 配偶 客服"
    " 会社 勤務先 店舗 担当者 営業 代理店 회사 사무실 매장 담당자 직원 배우자 긴급 판매자"
)
CJK_LEADS = "客户 客戶 顾客 顧客 お客様 고객 患者 申请人 申請人 환자 買い手 买家"
CJK_NOUNS = "电话 電話 手机 手機 号码 號碼 番号 携帯 전화 번호 휴대폰"
STRANGERS |= words(CJK_STRANGERS) | words("شركة مكتب وكيل חברה משרד סוכן")
LEADS |= words(CJK_LEADS) | words("عميل לקוח")
NOUNS |= words(CJK_NOUNS)
CJK = re.compile(
    "|".join(sorted(words(f"{CJK_STRANGERS} {CJK_LEADS} {CJK_NOUNS}"), key=lambda word: (-len(word), word)))
)

# Several words that mean together what none of them means alone.
PHRASES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"\b(?:{phrase})\b"), meant)
    for phrase, meant in (
        (r"caller ?id(?: number)?|caller ?number", "callerid"),
        (r"(?:customer|client|patient|buyer|guest) (?:service|support|care|success)s?", "support"),
        (r"call (?:center|centre)", "callcenter"),
        (r"toll free", "tollfree"),
        # The country is `pais`, which looks like several fathers.
        (r"pai", "father"),
        # Another person, or another number of the lead's: nobody knows.
        (r"(?:alternate|alternative|other|second|secondary|additional|backup) contact", "secondary"),
        (r"assigned to", "assigned"),
        (r"(?:team|tech|project|shift) lead", "manager"),
        (r"(?:lead|traffic|data) source", "vendor"),
        (r"co (?:applicant|borrower|buyer|signer|owner)", "cosigner"),
        (
            r"(?:created|updated|modified|owned|handled|managed|closed|sold|invited|edited|approved|processed"
            r"|verified|qualified|reviewed|listed|sourced|powered|taken|last modified) by",
            "creator",
        ),
        (r"(?:home|house|pet|car|vehicle|boat|policy|card) (?:owner|holder)", "homeowner"),
    )
)

# A question that says `you` asks the lead, whomever else it mentions: "Where can our agent reach you?"
YOU = words("you vous usted ti voce ihnen sie jou u")
OURS = words(
    "our nuestro nuestra nuestros nuestras notre nos unser unsere unserem unserer nosso nossa nostro nostra onze"
)
