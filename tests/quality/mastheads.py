"""What a second newspaper prints around an article, and how it marks versions, by language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Masthead:
    """Furniture of an invented paper; the marks take the headline in place of {}."""

    byline: str
    dateline: str
    footer: str
    rights: str
    update_mark: str
    flash_mark: str


MASTHEADS = {
    "ko": Masthead(
        "다온일보 채은결 기자 chae@daon.example",
        "(나루=다온일보) 채은결 기자 = ",
        "▶ 다온일보 앱에서 더 많은 소식을 받아보세요",
        "<저작권자 ⓒ 다온일보, 무단전재 및 재배포 금지>",
        "{}(종합)",
        "[속보] {}",
    ),
    "en": Masthead(
        "By Imogen Farrow, staff writer",
        "PORT ELLERY (Harbour Times) - ",
        "Sign up for our morning newsletter",
        "© 2026 Harbour Times. All rights reserved.",
        "UPDATE 1-{}",
        "URGENT: {}",
    ),
    "es": Masthead(
        "Por Lucrecia Valbuena",
        "RIBAMAR (El Correo del Puerto) - ",
        "Suscríbase a nuestro boletín diario",
        "© El Correo del Puerto. Todos los derechos reservados.",
        "{} (actualización)",
        "ÚLTIMA HORA: {}",
    ),
    "fr": Masthead(
        "Par Solange Mérieux",
        "PORT-ÉVRAN (Le Matin des Îles) - ",
        "Abonnez-vous à notre lettre quotidienne",
        "© Le Matin des Îles. Tous droits réservés.",
        "{} (actualisé)",
        "URGENT - {}",
    ),
    "ru": Masthead(
        "Автор: Зоя Ветлугина",
        "КАМЕНОГОРСК, «Речной вестник» — ",
        "Подписывайтесь на наш канал",
        "© «Речной вестник». Все права защищены.",
        "{} (обновлено)",
        "СРОЧНО: {}",
    ),
    "el": Masthead(
        "Της Μυρτώς Καλαφάτη",
        "ΛΕΥΚΟΠΟΛΗ (Ο Φάρος) - ",
        "Γραφτείτε στο ενημερωτικό μας δελτίο",
        "© Ο Φάρος. Με επιφύλαξη παντός δικαιώματος.",
        "{} (ενημέρωση)",
        "ΕΚΤΑΚΤΟ: {}",
    ),
    "ar": Masthead(
        "كتبت: سلمى الدالي",
        "رأس المرجان (جريدة الشراع) - ",
        "اشترك في نشرتنا اليومية",
        "جميع الحقوق محفوظة © جريدة الشراع 2026",
        "{} (تحديث)",
        "عاجل: {}",
    ),
    "he": Masthead(
        "מאת נעמה שחפון",
        "חוף הדקל (עיתון המעגן) - ",
        "הירשמו לעלון היומי שלנו",
        "© עיתון המעגן. כל הזכויות שמורות.",
        "{} (עדכון)",
        "מבזק: {}",
    ),
    "hi": Masthead(
        "रिपोर्ट: चित्रा सोलंकी",
        "नीलगढ़ (प्रभात धारा) - ",
        "हमारे दैनिक समाचार पत्र की सदस्यता लें",
        "© प्रभात धारा। सर्वाधिकार सुरक्षित।",
        "{} (अपडेट)",
        "ब्रेकिंग: {}",
    ),
    "th": Masthead(
        "รายงานโดย พิมพ์ดาว สายธาร",
        "บางระกำน้อย (หนังสือพิมพ์ลำน้ำ) - ",
        "สมัครรับข่าวประจำวันของเรา",
        "© หนังสือพิมพ์ลำน้ำ สงวนลิขสิทธิ์",
        "{} (อัปเดต)",
        "ด่วน: {}",
    ),
    "ja": Masthead(
        "（記者・鳴海さわ）",
        "【北嶺＝潮風新聞】",
        "潮風新聞のメールマガジンを配信中",
        "潮風新聞社　無断転載を禁じます",
        "{}（続報）",
        "【速報】{}",
    ),
    "zh": Masthead(
        "记者 贺青岚",
        "（白鹭湾 帆声晚报）",
        "关注帆声晚报获取更多新闻",
        "版权所有 帆声晚报社 未经授权不得转载",
        "{}（更新）",
        "快讯：{}",
    ),
    "mixed": Masthead(
        "글 Sora Finch 기자 sora@naru.example",
        "(Naru City=나루 Daily) ",
        "▶ 나루 Daily newsletter 구독하기",
        "ⓒ 나루 Daily, 무단전재 및 재배포 금지 / All rights reserved",
        "{}(종합)",
        "[속보] {}",
    ),
}
